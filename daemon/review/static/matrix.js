// A confusion matrix as a table: a row for each true class, shares within it as depth of color.
import { el } from "./calls.js";
import { percent, whole } from "./figures.js";

/** `counts` are shown; the shares are of `weights`, which are the counts themselves unless given. */
export function matrix({ corner, label, about, options, counts, weights = counts }) {
  const line = (option, r) => {
    const total = weights[r].reduce((sum, weight) => sum + weight, 0);
    const cells = counts[r].map((n, c) => {
      const share = total > 0 ? weights[r][c] / total : 0;
      const cell = el("td", { class: `num cell ${r === c ? "agrees" : "differs"}` }, whole(Math.round(n)), " ", el("span", { class: "small block" }, total > 0 ? percent(share) : "–"));
      cell.style.setProperty("--share", `${Math.round(share * 100)}%`);
      return cell;
    });
    return el("tr", {}, el("th", { scope: "row" }, option), ...cells);
  };
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    el(
      "table",
      { class: "confusion" },
      ...(about ? [el("caption", {}, about)] : []),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, corner), ...options.map((option) => el("th", { scope: "col", class: "num" }, option)))),
      el("tbody", {}, ...options.map(line)),
    ),
  );
}
