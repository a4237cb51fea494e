// Uploads: by button, by drag and drop, from the browser page and from the picker.

import { all, el, formatCount, meta, on, one } from "./dom.js";
import { onContent, refresh } from "./live.js";
import { t } from "./strings.js";

const AT_ONCE = 3;
let busy = 0;

/** Uploads [{ path, file }] below the URL, three at a time, and shows them in the list; gives how many failed. */
export async function upload(base, items, list) {
    if (!items.length) return 0;
    const batch = { base, list, total: items.length, done: 0, failed: 0, queue: [...items] };
    batch.count = el("p", { className: "hint", role: "status" });
    list.append(el("li", {}, batch.count));
    busy++;
    showCount(batch);
    await Promise.all(Array.from({ length: AT_ONCE }, () => work(batch)));
    busy--;
    return batch.failed;
}

async function work(batch) {
    for (let item; (item = batch.queue.shift());) {
        if (await send(batch, item)) batch.done++;
        else batch.failed++;
        showCount(batch);
    }
}

function showCount({ count, done, failed, total }) {
    const values = { done: formatCount(done), total: formatCount(total), failed: formatCount(failed) };
    count.textContent = failed ? t("upload.countFailed", values) : t("upload.count", values);
}

/** One file; true when it arrived. Its row goes then, for a folder may have thousands. */
function send(batch, item) {
    const { file, path } = item;
    const progress = el("progress", { className: "bar", max: file.size || 1, value: 0, "aria-label": path });
    const button = el("button", { type: "button", className: "button small" }, t("upload.cancel"));
    const row = el("li", {}, el("span", { title: path }, path), progress, button);
    batch.list.append(row);
    return new Promise((resolve) => {
        const request = new XMLHttpRequest();
        const fail = (message) => {
            showFailure(batch, item, row, message);
            resolve(false);
        };
        request.upload.onprogress = (event) => progress.value = event.loaded;
        request.onload = () => {
            if (request.status >= 300) return fail(messageOf(request));
            row.remove();
            resolve(true);
        };
        request.onerror = () => fail(t("upload.lost"));
        request.onabort = () => fail(t("upload.canceled"));
        button.onclick = () => request.abort();
        request.open("PUT", batch.base + encodePath(path));
        request.setRequestHeader("X-CSRF-Token", meta("csrf") ?? "");
        request.send(file);
    });
}

// macOS hands over decomposed accents; composed ones are what everybody types and what the program will open.
const encodePath = (path) => path.normalize("NFC").split("/").map(encodeURIComponent).join("/");

function messageOf(request) {
    try {
        return JSON.parse(request.responseText).errors[0].message;
    } catch {
        return t("upload.failed", { status: request.status });
    }
}

function showFailure(batch, item, row, message) {
    const button = one("button", row);
    one("progress", row).dataset.tone = "bad";
    row.append(el("p", { className: "error", role: "alert" }, message));
    button.textContent = t("upload.retry");
    button.onclick = async () => {
        row.remove();
        await upload(batch.base, [item], batch.list);
        refresh();
    };
}

// MARK: Where files come from

export const fromInput = ({ files }) =>
    [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

async function fromDrop(transfer) {
    // Entries must be taken before the first await; the list is empty after the event.
    const files = [...transfer.items].filter((item) => item.kind === "file");
    const dropped = files.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
    const items = [];
    for (const { entry, file } of dropped) {
        if (entry) await walk(entry, items);
        else if (file) items.push({ file, path: file.name });
    }
    return items;
}

async function walk(entry, items) {
    if (entry.isFile) {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        items.push({ file, path: entry.fullPath.replace(/^\//, "") });
        return;
    }
    const reader = entry.createReader();
    // A reader gives at most a hundred at a time, and none when all were given.
    for (let batch; (batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length;) {
        for (const child of batch) await walk(child, items);
    }
}

async function uploadTo(section, items) {
    await upload(section.dataset.upload, items, one(".uploads", section));
    refresh();
}

// MARK: The browser page

on("change", "[data-upload] [data-upload-input]", (event, input) => {
    const items = fromInput(input);
    // Cleared, lest choosing the same file again changes nothing and so does nothing.
    input.value = "";
    uploadTo(input.closest("[data-upload]"), items);
});

const dropTarget = (event) => event.target.closest?.(".files[data-upload]");
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
const mark = (section) => all(".files").forEach((node) => node.classList.toggle("drop-target", node === section));

// Everywhere on the page: a file dropped beside the list would otherwise replace the page with the file.
document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = dropTarget(event) ? "copy" : "none";
    mark(dropTarget(event));
});
document.addEventListener("dragleave", (event) => event.relatedTarget ?? mark());
document.addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark();
    const section = dropTarget(event);
    if (section) uploadTo(section, await fromDrop(event.dataTransfer));
});
addEventListener("beforeunload", (event) => busy && event.preventDefault());
