// Durations that tick and moments that age.

import { all, language } from "./dom.js";
import { onContent } from "./live.js";

const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" });
const seconds = { year: 31_557_600, month: 2_629_800, week: 604_800, day: 86_400, hour: 3600, minute: 60 };
const units = Object.entries(seconds);

export function startTime() {
    onContent(() => {
        tick();
        age();
    });
    setInterval(() => document.hidden || tick(), 1000);
    setInterval(() => document.hidden || age(), 30_000);
    document.addEventListener("visibilitychange", () => {
        if (document.hidden) return;
        tick();
        age();
    });
}

function tick() {
    for (const node of all("[data-elapsed]")) {
        const start = Date.parse(node.dataset.elapsed);
        if (start) setText(node, clock((Date.now() - start) / 1000));
    }
}

function age() {
    for (const node of all("[data-relative]")) {
        const moment = Date.parse(node.getAttribute("datetime"));
        if (!moment) continue;
        setText(node, ago((moment - Date.now()) / 1000));
        node.title ||= absolute.format(moment);
    }
}

/** Seconds as 0:12, 3:04 or 26:02:03; a server's clock ahead of ours gives 0:00. */
export function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const pad = (value) => String(value).padStart(2, "0");
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

function ago(seconds) {
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
    // Truncated, not rounded: 119 minutes are not "2 hours ago". Under 10 s it is "now", lest the text flicker.
    return relative.format(unit === "second" && Math.abs(seconds) < 10 ? 0 : Math.trunc(seconds / size), unit);
}

// Writing the same text again would still drop a selection in it.
function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}
