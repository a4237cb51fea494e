// Modal dialogs: confirmation pages shown in place, and the frame of the picker.

import { el, on, one } from "./dom.js";

let pending;

export function startDialogs() {
    on("click", "a[data-dialog]", (event, link) => {
        if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        openPage(link);
    });
    on("click", "dialog [data-close]", (event, node) => {
        event.preventDefault();
        node.closest("dialog").close();
    });
}

async function openPage(link) {
    if (pending === link) return;
    pending = link;
    const section = await fetchSection(link.href).catch(() => null);
    if (pending !== link) return;
    pending = undefined;
    // Whatever is not a confirmation (signed out, gone, server down) is best shown as the page that it is.
    if (!section) return location.assign(link.href);
    showDialog([section], { opener: link });
}

async function fetchSection(href) {
    const response = await fetch(href, { headers: { "X-Part": "dialog" }, cache: "no-store" });
    if (!response.ok || response.redirected) return null;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const section = one(".confirm", page);
    for (const form of section?.querySelectorAll("form") ?? []) {
        // Without an action a form posts to the page it is on, and that is now another one.
        form.setAttribute("action", new URL(form.getAttribute("action") || href, href).href);
    }
    return section && document.adoptNode(section);
}

/** Shows nodes as a modal dialog. Focus starts at `focus` or the harmless button, and ends at `opener`. */
export function showDialog(content, { className = "", opener = document.activeElement, focus } = {}) {
    const dialog = el("dialog", { className: `dialog ${className}`.trim() }, ...content);
    const title = one("h1, h2", dialog);
    if (title) {
        title.id ||= "dialog-title";
        dialog.setAttribute("aria-labelledby", title.id);
    }
    dialog.addEventListener("close", () => {
        dialog.remove();
        returnFocus(opener);
    });
    dialog.addEventListener("pointerdown", (event) => {
        if (event.target === dialog && isOutside(dialog, event)) dialog.close();
    });
    document.body.append(dialog);
    dialog.showModal();
    (focus ?? one("[data-close]", dialog) ?? one("button, a, input", dialog))?.focus();
    return dialog;
}

// The backdrop's clicks have the dialog as their target, and so have those on its padding.
function isOutside(dialog, { clientX, clientY }) {
    const box = dialog.getBoundingClientRect();
    return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

// A live update may have removed the opener meanwhile.
function returnFocus(opener) {
    if (opener?.isConnected) opener.focus();
    else one("main")?.focus({ preventScroll: true });
}
