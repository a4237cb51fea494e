// Every page loads this. It sets up what is everywhere, and fetches the larger modules where their elements are.

import { all, el, on, one } from "./dom.js";
import { startDialogs } from "./dialog.js";
import { startForms } from "./forms.js";
import { onContent, startLive } from "./live.js";
import { t } from "./strings.js";
import { setUpTabs } from "./tabs.js";
import { startTime } from "./time.js";
import { startToasts } from "./toast.js";

const AUTOSUBMIT = "select[data-autosubmit], .preferences select";

// Called again after each live update: an update may bring the first log or chart of a page.
onContent(() => {
    if (one("[data-log]")) import("./log.js").then((log) => log.setUpLogs());
    if (one("[data-charts]")) import("./charts.js").then((charts) => charts.setUpCharts());
    if (one("[data-study]")) import("./study.js").then((study) => study.setUpStudies());
    if (one('[name$=".hyperparameterTypeCode"]')) import("./spec-editor.js").then((editor) => editor.setUpSpecs());
    if (one("[data-upload]")) import("./storage.js");
});
onContent(setUpTabs);
onContent(countSelected);
onContent(hideApply);
startTime();
startToasts();
startDialogs();
startForms();
startLive();

on("click", "[data-picker-open]", async (event, button) => {
    const { openPicker } = await import("./picker.js");
    if (!one("dialog[open]")) openPicker(button.closest("[data-picker]"), button);
});

// MARK: Menus

on("click", ".menu-toggle", (event, button) => showMenu(button.getAttribute("aria-expanded") !== "true"));

function showMenu(isOpen) {
    one(".sidebar")?.classList.toggle("is-open", isOpen);
    one(".menu-toggle")?.setAttribute("aria-expanded", String(isOpen));
}

document.addEventListener("click", ({ target }) => {
    for (const menu of all("details.switcher[open]")) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || one("dialog[open]")) return;
    const menu = one("details.switcher[open]");
    if (menu) {
        menu.open = false;
        one("summary", menu).focus();
    } else if (one(".sidebar.is-open")) {
        showMenu(false);
        one(".menu-toggle").focus();
    }
});

// MARK: Keys and rows

document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || one("dialog[open]")) return;
    const field = one(`[data-shortcut="${CSS.escape(event.key)}"]`);
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select?.();
});

for (const type of ["click", "auxclick"]) {
    on(type, "tr[data-href]", (event, row) => {
        const isControl = event.target.closest("a, button, input, label, select, summary");
        if (event.defaultPrevented || event.button > 1 || isControl) return;
        const box = event.target.closest("td.check") && one("td.check input", row);
        if (box) return box.click();
        // Who has just selected text in a row wants to copy it.
        if (!document.getSelection().isCollapsed) return;
        if (event.button === 1 || event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
        else location.assign(row.dataset.href);
    });
}

on("change", "input[type=checkbox][form]", countSelected);
// Back from a comparison the boxes are still checked, but the page was not set up anew.
addEventListener("pageshow", countSelected);

function countSelected() {
    const form = one("form#pick");
    if (!form) return;
    const count = [...form.elements].filter((control) => control.type === "checkbox" && control.checked).length;
    for (const button of form.elements) if (button.type === "submit") button.disabled = count < 2;
}

// MARK: Copying

on("click", "[data-copy], [data-copy-text]", async (event, button) => {
    const text = button.dataset.copyText ?? one("pre", button.parentElement)?.textContent ?? "";
    const isCopied = await copyText(text.replace(/\n$/, ""));
    if ("timer" in button) clearTimeout(button.timer);
    else button.before = { text: button.textContent, label: button.getAttribute("aria-label") };
    const result = t(isCopied ? "copy.done" : "copy.failed");
    if (button.before.label) button.setAttribute("aria-label", result);
    else button.textContent = result;
    button.classList.toggle("is-done", isCopied);
    button.timer = setTimeout(() => {
        if (button.before.label) button.setAttribute("aria-label", button.before.label);
        else button.textContent = button.before.text;
        button.classList.remove("is-done");
    }, 1500);
});

async function copyText(text) {
    // The clipboard's interface is for secure origins only, and the console is often at http://some-host:8080.
    if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => copyBySelection(text));
    return copyBySelection(text);
}

function copyBySelection(text) {
    const focused = document.activeElement;
    const area = el("textarea", { value: text, readOnly: true, className: "sr" });
    (one("dialog[open]") ?? document.body).append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return isCopied;
}

// MARK: Selects that apply at once

function hideApply() {
    for (const { form } of all(AUTOSUBMIT)) {
        const hasOther = all("input:not([type=hidden]), textarea", form).length;
        if (!hasOther) for (const button of all("button", form)) button.hidden = true;
    }
}

// Arrow keys change a closed select at every press. Then the choice counts on Enter, or when the focus moves on: nobody
// wants to be taken to another page on the way through a list.
let isByKeys = false;
let pending;
on("keydown", AUTOSUBMIT, (event, select) => {
    isByKeys = event.key !== "Enter";
    if (event.key === "Enter" && pending === select) submitChoice(select);
});
on("pointerdown", AUTOSUBMIT, () => (isByKeys = false));
on("change", AUTOSUBMIT, (event, select) => {
    if (select.name === "theme") applyTheme(select);
    else if (isByKeys) pending = select;
    else submitChoice(select);
});
on("focusout", AUTOSUBMIT, (event, select) => pending === select && submitChoice(select));

function submitChoice(select) {
    pending = undefined;
    comeBackTo(`select[name="${select.name}"]`);
    select.form.requestSubmit();
}

// MARK: Where one was

// Tabs and filters are pages of their own. Who works by keys goes on from where they were, not from the top.
const COME_BACK = "takumi.focus";

function comeBackTo(selector) {
    try {
        sessionStorage.setItem(COME_BACK, JSON.stringify({ selector, until: Date.now() + 5000 }));
    } catch { /* Private windows may refuse; then the page begins at its top. */ }
}

function comeBack() {
    try {
        const { selector, until } = JSON.parse(sessionStorage.getItem(COME_BACK) ?? "{}");
        sessionStorage.removeItem(COME_BACK);
        if (selector && until > Date.now() && document.activeElement === document.body) one(selector)?.focus();
    } catch { /* As above. */ }
}

// A click without a pointer is a key's.
on("click", ".tabs a, .sort, .pager a", (event, link) => {
    if (event.detail !== 0) return;
    if (link.closest(".tabs")) comeBackTo(".tabs:not(.small) [aria-current]");
    else comeBackTo(link.rel ? `.pager [rel="${link.rel}"]` : "#rows [aria-sort] .sort");
});
on("submit", ".filters", () => comeBackTo("#rows .row-link, #filters input[type=search]"));
comeBack();

function applyTheme(select) {
    document.documentElement.dataset.theme = select.value;
    const body = new URLSearchParams(new FormData(select.form));
    // keepalive: who changes the theme and follows a link at once still finds it changed.
    fetch(select.form.action, { method: "POST", body, keepalive: true, redirect: "manual" });
}
