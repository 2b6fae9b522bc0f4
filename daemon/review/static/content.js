// What an item shows: pictures, fields with the words that heuristics found, and what is suggested.
import { el } from "./calls.js";

/** The pictures of an item; those that the page may not load are addresses to open by hand. */
export function picturesOf({ images }) {
  if (images.length === 0) return [];
  const one = ({ address, shown }, index) => {
    const name = images.length > 1 ? `Picture ${index + 1} of ${images.length}` : "Picture";
    return shown ? picture(address, name) : link(address, name);
  };
  return [el("div", { class: "pictures" }, ...images.map(one))];
}

function picture(address, name) {
  const made = el("img", { class: "picture", src: address, alt: name, referrerpolicy: "no-referrer" });
  made.addEventListener("error", () => made.replaceWith(el("p", { class: "quiet small" }, `${name} cannot be shown.`)));
  return made;
}

function link(address, name) {
  if (!/^https?:/i.test(address)) return el("p", { class: "quiet small" }, `${name}: ${address}`);
  return el("p", { class: "small" }, `${name}: `, el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address));
}

/** Let the browser load pictures before they are shown. */
export function preload({ images }) {
  for (const { address, shown } of images) if (shown) Object.assign(new Image(), { referrerPolicy: "no-referrer", src: address });
}

/** The fields of an item that is no pair. */
export function fieldsOf({ fields, marks }) {
  return fields.flatMap(({ name, text }) => [
    ...(fields.length > 1 ? [el("h2", { class: "field-name" }, name)] : []),
    el("p", { class: "text", dir: "auto" }, ...marked(text, marks.filter((mark) => mark.field === name))),
  ]);
}

/** A text in pieces, what was found in `mark`; of finds that overlap the earlier one is marked. */
function marked(text, marks) {
  if (marks.length === 0) return [text];
  // Marks count code points, strings of this language halves of some.
  const characters = [...text];
  const pieces = [];
  let done = 0;
  for (const { start, end, function: finder } of marks) {
    if (start < done) continue;
    pieces.push(characters.slice(done, start).join(""), el("mark", { title: `found by ${finder}` }, characters.slice(start, end).join("")));
    done = end;
  }
  return [...pieces, characters.slice(done).join("")];
}

/** What the votes at hand say; `named` turns a label into what its button says. */
export function suggestionOf({ suggestion }, named) {
  if (suggestion === null) return [];
  const labels = [suggestion.label].flat();
  const said = labels.length > 0 ? labels.map(named).join(", ") : "none of these";
  return [el("p", { class: "suggestion quiet" }, "Suggested: ", el("strong", {}, said), `, sure to ${Math.round(suggestion.sure * 100)}%`)];
}

/** What people of other tiers answered. */
export function earlierOf({ earlier }, named) {
  if (earlier.length === 0) return [];
  const said = earlier.map(({ tier, label }) => {
    const labels = [label].flat();
    return `${tier} ${labels.length > 0 ? labels.map(named).join(", ") : "none of these"}`;
  });
  return [el("p", { class: "earlier quiet" }, `Answered before: ${said.join("; ")}`)];
}
