// Short notices: those that the server rendered and those of other scripts.

import { all, el, icon, on, one } from "./dom.js";
import { t } from "./strings.js";

const LIFE = 6000;
const timers = new WeakMap();

export function startToasts() {
    all("[data-toast]").forEach(adopt);
    const isWithin = (node, event) => node.contains(event.relatedTarget);
    for (const type of ["pointerover", "focusin"]) {
        on(type, "[data-toast]", (event, node) => clearTimeout(timers.get(node)));
    }
    for (const type of ["pointerout", "focusout"]) {
        on(type, "[data-toast]", (event, node) => isWithin(node, event) || expire(node));
    }
    on("click", "[data-toast-close]", (event, button) => button.closest("[data-toast]").remove());
}

export function toast(text, { tone = "good" } = {}) {
    const node = el("p", { className: "toast", "data-tone": tone, "data-toast": "" }, text);
    const shown = all("[data-toast]");
    if (shown.length >= 4) shown[0].remove();
    one(".toasts")?.append(node);
    adopt(node);
}

function adopt(node) {
    const label = t("toast.close");
    const button = el("button", { type: "button", className: "icon-button", "data-toast-close": "" }, icon("cross"));
    button.setAttribute("aria-label", label);
    node.append(button);
    expire(node);
}

function expire(node) {
    clearTimeout(timers.get(node));
    // A failure stays until it is read: nobody can be expected to watch that corner.
    if (node.dataset.tone !== "bad") timers.set(node, setTimeout(() => node.remove(), LIFE));
}
