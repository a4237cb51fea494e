// The picker: a dialog that walks through storage. The list keeps the focus and an active item, so that a folder's
// contents can change under the cursor keys.

import { el, fetchJSON, formatBytes, icon, language, meta, one } from "./dom.js";
import { showDialog } from "./dialog.js";
import { fromInput, upload } from "./storage.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const dates = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

/** Opens for a `[data-picker]` field. */
export function openPicker(field, opener) {
    const { pickerMode: mode = "file", pickerBase } = field.dataset;
    const input = one("input:not([type=hidden])", field);
    const baseInput = pickerBase && input.form?.elements[pickerBase];
    const base = mode === "py" ? baseInput?.value.trim().replace(/\/+$/, "") : undefined;
    if (mode === "py" && !base) {
        toast(t("picker.needsBase"), { tone: "wait" });
        baseInput?.focus();
        return;
    }
    const picker = { mode, input, base, items: [], active: -1, place: undefined };
    build(picker, opener);
    go(picker, startOf(picker), true);
}

function startOf({ mode, input, base }) {
    const value = input.value.trim().replace(/\/+$/, "");
    if (mode !== "py") return /^(obs|nas):\/\//.test(value) ? value : undefined;
    const folder = value.split("/").slice(0, -1).join("/");
    return folder ? `${base}/${folder}` : base;
}

// MARK: The dialog

function build(picker, opener) {
    const title = { folder: "picker.folder", py: "picker.py" }[picker.mode] ?? "picker.file";
    picker.crumbs = el("nav", { className: "crumbs picker-crumbs", "aria-label": t("picker.path") });
    picker.list = el("ul", { className: "picker-list", role: "listbox", tabIndex: 0 });
    picker.list.setAttribute("aria-label", t("picker.contents"));
    picker.note = el("p", { className: "picker-note hint", role: "status" });
    picker.uploads = el("ul", { className: "uploads" });
    picker.use = el("button", { type: "button", className: "button primary" }, t("picker.use"));
    picker.use.hidden = picker.mode !== "folder";
    picker.use.onclick = () => choose(picker, picker.place.uri);
    picker.uploadFiles = uploadButton(picker, t("picker.upload"), {});
    picker.uploadFolder = uploadButton(picker, t("picker.uploadFolder"), { webkitdirectory: true });
    const cancel = el("button", { type: "button", className: "button", "data-close": "" }, t("picker.cancel"));
    const buttons = [picker.use, picker.uploadFiles, picker.uploadFolder, cancel];
    const actions = el("div", { className: "form-actions" }, ...buttons);
    const content = [el("h2", {}, t(title)), picker.crumbs, picker.list, picker.note, picker.uploads, actions];
    picker.list.addEventListener("keydown", (event) => key(picker, event));
    picker.list.addEventListener("click", (event) => clicked(picker, event));
    picker.dialog = showDialog(content, { className: "picker", opener, focus: picker.list });
    picker.dialog.addEventListener("close", () => picker.abort?.abort());
}

function uploadButton(picker, text, properties) {
    const input = el("input", { type: "file", multiple: true, hidden: true, ...properties });
    const button = el("button", { type: "button", className: "button", hidden: true }, icon("upload"), ` ${text}`);
    button.onclick = () => input.click();
    input.onchange = async () => {
        const items = fromInput(input);
        const place = picker.place;
        input.value = "";
        const failed = await upload(place.upload, items, picker.uploads);
        const isOpen = picker.dialog.isConnected;
        if (failed && !isOpen) toast(t("upload.someFailed", { failed }), { tone: "bad" });
        if (isOpen && picker.place === place) go(picker, place.uri);
    };
    return button;
}

// MARK: Walking

async function go(picker, uri, isFirst = false) {
    picker.abort?.abort();
    const { signal } = (picker.abort = new AbortController());
    picker.list.setAttribute("aria-busy", "true");
    try {
        const query = uri ? `?uri=${encodeURIComponent(uri)}` : "";
        const place = await fetchJSON(`${meta("project")}/storage/browse${query}`, signal);
        if (!signal.aborted) arrive(picker, { ...place, uri: place.uri ?? uri });
    } catch (error) {
        if (signal.aborted) return;
        picker.list.removeAttribute("aria-busy");
        // What the field holds may be a file, or a folder that is yet to be made: start above it.
        if (isFirst && uri && uri !== picker.base) go(picker, trailOf(picker, uri).at(-2)?.uri, true);
        else picker.note.textContent = error.message;
    }
}

function arrive(picker, place) {
    const from = picker.place?.uri;
    picker.place = place;
    const files = picker.mode === "py" ? place.files.filter(({ name }) => name.endsWith(".py")) : place.files;
    const items = [...place.folders.map((item) => ({ ...item, isFolder: true })), ...files];
    picker.items = items.map((item, index) => ({ ...item, node: itemNode(picker, item, index) }));
    picker.list.replaceChildren(...picker.items.map(({ node }) => node));
    picker.list.removeAttribute("aria-busy");
    if (place.truncated) picker.note.textContent = t("picker.truncated", { count: items.length });
    else picker.note.textContent = items.length ? "" : t("picker.empty");
    picker.use.disabled = !place.uri;
    picker.uploadFiles.hidden = !place.upload;
    picker.uploadFolder.hidden = !place.upload || picker.mode !== "folder";
    showCrumbs(picker);
    // Going up lands on the folder one came from.
    const back = picker.items.findIndex(({ uri }) => from && isWithin(uri.replace(/\/+$/, ""), from));
    activate(picker, items.length ? Math.max(0, back) : -1);
}

const isWithin = (base, uri) => uri === base || uri.startsWith(`${base}/`);

function itemNode({ mode }, { name, isFolder, size, modified }, index) {
    const node = el("li", { role: "option", id: `picker-item-${index}`, "aria-selected": "false" },
        icon(isFolder ? "folder" : "file"), el("span", { className: "picker-name" }, name));
    if (!isFolder && mode === "folder") node.setAttribute("aria-disabled", "true");
    if (!isFolder && size !== undefined) node.append(el("span", { className: "size" }, formatBytes(size)));
    if (modified) node.append(el("time", { dateTime: modified }, dates.format(new Date(modified))));
    return node;
}

/** The places from the root to the uri: obs://host/v1/AUTH_x/container/… or nas://id:/… */
function trailOf({ base }, uri) {
    const root = base ?? uri.match(/^(?:obs:\/\/[^/]+\/v1\/[^/]+\/[^/]+|nas:\/\/[^/]+\/?)/)?.[0] ?? uri;
    const start = root.replace(/\/+$/, "");
    const trail = [{ name: start.split("/").pop().replace(/:$/, ""), uri: root }];
    let path = start;
    for (const name of uri.slice(root.length).split("/").filter(Boolean)) {
        path += `/${name}`;
        trail.push({ name, uri: path });
    }
    return trail;
}

function showCrumbs(picker) {
    const { base, crumbs, place } = picker;
    const trail = place.uri ? trailOf(picker, place.uri) : [];
    if (!base) trail.unshift({ name: t("picker.storage") });
    crumbs.replaceChildren(...trail.flatMap(({ name, uri }, index) => {
        if (index === trail.length - 1) return [el("span", { "aria-current": "location" }, name)];
        const button = el("button", { type: "button", className: "link" }, name);
        button.onclick = () => {
            picker.list.focus();
            go(picker, uri);
        };
        return [button, el("span", { "aria-hidden": "true" }, "/")];
    }));
}

function up(picker) {
    const { base, place } = picker;
    if (!place?.uri || place.uri.replace(/\/+$/, "") === base) return;
    go(picker, place.parent ?? undefined);
}

// MARK: Choosing

function activate(picker, index) {
    picker.items[picker.active]?.node.setAttribute("aria-selected", "false");
    picker.active = Math.min(Math.max(index, -1), picker.items.length - 1);
    const node = picker.items[picker.active]?.node;
    node?.setAttribute("aria-selected", "true");
    node?.scrollIntoView({ block: "nearest" });
    if (node) picker.list.setAttribute("aria-activedescendant", node.id);
    else picker.list.removeAttribute("aria-activedescendant");
}

function enter(picker, item) {
    if (!item) return;
    if (item.isFolder) go(picker, item.uri);
    else if (picker.mode !== "folder") choose(picker, item.uri);
}

function choose(picker, uri) {
    const { base, dialog, input } = picker;
    input.value = base ? uri.slice(base.length).replace(/^\/+/, "") : uri;
    for (const type of ["input", "change"]) input.dispatchEvent(new Event(type, { bubbles: true }));
    dialog.close();
}

function clicked(picker, event) {
    const index = picker.items.findIndex(({ node }) => node.contains(event.target));
    if (index < 0) return;
    activate(picker, index);
    enter(picker, picker.items[index]);
}

function key(picker, event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { active, items } = picker;
    const moves = { ArrowDown: active + 1, ArrowUp: Math.max(0, active - 1), Home: 0, End: items.length - 1,
        PageDown: active + 10, PageUp: Math.max(0, active - 10) };
    const acts = { Enter: () => enter(picker, items[active]), Backspace: () => up(picker), ArrowLeft: () => up(picker),
        ArrowRight: () => items[active]?.isFolder && go(picker, items[active].uri) };
    if (event.key in moves) activate(picker, moves[event.key]);
    else if (event.key in acts) acts[event.key]();
    else if (event.key.length === 1 && event.key !== " ") jump(picker, event.key);
    else return;
    event.preventDefault();
}

/** To the next item whose name starts with what was typed within a second. */
function jump(picker, letter) {
    const now = performance.now();
    picker.typed = (now - (picker.typedAt ?? 0) < 1000 ? picker.typed : "") + letter.toLowerCase();
    picker.typedAt = now;
    const { active, items, typed } = picker;
    const start = typed.length > 1 ? active : active + 1;
    const order = items.map((_, index) => (start + index + items.length) % items.length);
    const found = order.find((index) => items[index].name.toLowerCase().startsWith(typed));
    if (found !== undefined) activate(picker, found);
}
