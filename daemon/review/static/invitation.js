// An invitation: its secret stands behind # in the address, which browsers send to nobody.
import { post } from "./calls.js";
import "./forms.js";

const about = document.getElementById("about");
const form = document.getElementById("accept");

async function look() {
  const secret = location.hash.slice(1);
  try {
    const found = await post("/api/invitation", { invitation: secret });
    const tiers = found.tiers.length > 0 ? ` You will answer in ${found.tiers.join(", ")}.` : "";
    about.textContent = `${found.invited_by} invites you as ${found.role}.${tiers}`;
    form.elements.invitation.value = secret;
    if (found.name !== null) {
      form.elements.name.value = found.name;
      form.elements.name.readOnly = true;
    }
    form.hidden = false;
    form.elements[found.name === null ? "name" : "password"].focus();
  } catch (error) {
    about.textContent = error.status === 422 || error.status === 404
      ? "This invitation was used, withdrawn or has run out. Ask whoever sent it for another one."
      : [error.message, error.help].filter(Boolean).join("; ");
    about.classList.replace("quiet", "problem");
  }
}

addEventListener("hashchange", () => location.reload());
look();
