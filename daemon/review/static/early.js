// A form that is sent before the page's own scripts have come: the browser would send it in its own way, fields
// in the address. It waits for them here and is sent again. No module, so that it comes before anything is shown.
{
  const waiting = new Map();

  const hold = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting.set(event.target, event.submitter);
  };

  addEventListener("submit", hold, true);
  // Modules have run when this comes.
  addEventListener("DOMContentLoaded", () => {
    removeEventListener("submit", hold, true);
    for (const [form, button] of waiting) form.requestSubmit(button);
  });
}
