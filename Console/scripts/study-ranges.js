// Picking trials by the axes of parallel coordinates: dragging along an axis draws a range, whose ends are sliders for
// the keyboard.

import { all, on, one } from "./dom.js";

/** What each holder shows: `{ study, lines, picture, xOf, ranges, onPick, rebuild, unname }`. */
export const states = new WeakMap();

export const HEIGHT = 330;
export const TOP = 44;
export const BOTTOM = 14;
const SPAN = HEIGHT - TOP - BOTTOM;

export const between = (least, value, most) => Math.max(least, Math.min(most, value));
export const yOf = (part) => TOP + (1 - part) * SPAN;

function partAt({ picture }, { clientY }) {
    return between(0, 1 - (clientY - picture.getBoundingClientRect().top - TOP) / SPAN, 1);
}

/** The range of an axis as parts from 0 to 1; an end that was not moved stays at the scale's. */
function rangeOf({ ranges, study }, index) {
    const scale = study.scales[index];
    const { from, to } = ranges.get(scale.name) ?? {};
    return [from === undefined ? 0 : between(0, scale.at(from), 1), to === undefined ? 1 : between(0, scale.at(to), 1)];
}

function setRange(holder, index, from, to) {
    const state = states.get(holder);
    const scale = state.study.scales[index];
    const ends = { from: from > 0 ? scale.read(from) : undefined, to: to < 1 ? scale.read(to) : undefined };
    if (from <= 0 && to >= 1) state.ranges.delete(scale.name);
    else state.ranges.set(scale.name, ends);
    cancelAnimationFrame(state.frame);
    state.frame = requestAnimationFrame(() => pick(holder));
}

export function clearRanges(holder) {
    states.get(holder)?.ranges.clear();
    pick(holder);
}

export function pick(holder) {
    const state = states.get(holder);
    const { study, lines, picture, ranges } = state;
    const limits = study.scales.map((_, index) => rangeOf(state, index));
    const isIn = ({ fractions }) => study.scales.every(({ name }, index) => !ranges.has(name)
        || (fractions[index] >= limits[index][0] - 1e-9 && fractions[index] <= limits[index][1] + 1e-9));
    for (const line of lines) {
        line.isIn = isIn(line);
        line.path.classList.toggle("is-out", !line.isIn);
    }
    all(".study-axis", picture).forEach((group, index) =>
        showRange(group, study.scales[index], state.xOf(index), limits[index]));
    state.onPick(lines.filter((line) => line.isIn).map(({ trial }) => trial), ranges.size > 0);
}

function showRange(group, scale, x, [from, to]) {
    const band = one(".study-band", group);
    band.setAttribute("y", yOf(to));
    band.setAttribute("height", Math.max(1, yOf(from) - yOf(to)));
    band.classList.toggle("is-set", from > 0 || to < 1);
    const [low, high] = all(".study-end", group);
    low.setAttribute("d", `M${x - 7} ${yOf(from)}h14l-7 8z`);
    high.setAttribute("d", `M${x - 7} ${yOf(to)}h14l-7 -8z`);
    // Half a step inwards: between two choices an end belongs to the one inside.
    const inwards = scale.labels ? 0.5 / scale.labels.length : 0;
    for (const [node, part, shift] of [[low, from, inwards], [high, to, -inwards]]) {
        node.setAttribute("aria-valuenow", Math.round(part * 100));
        node.setAttribute("aria-valuetext", scale.format(scale.read(part + shift)));
    }
}

function stepOf(scale) {
    if (scale.labels) return 1 / scale.labels.length;
    const size = scale.max - scale.min;
    return scale.isInteger && !scale.isLog && size <= 50 ? 1 / size : 0.02;
}

on("keydown", ".study-end", (event, end) => {
    const holder = end.closest("[data-study-lines]");
    const state = states.get(holder);
    const index = Number(end.dataset.axis);
    const step = stepOf(state.study.scales[index]);
    let [from, to] = rangeOf(state, index);
    const by = {
        ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step,
        PageUp: 5 * step, PageDown: -5 * step, Home: -1, End: 1,
    }[event.key];
    if (event.key === "Escape") [from, to] = [0, 1];
    else if (!by) return;
    else if (end.dataset.end === "from") from = between(0, from + by, to);
    else to = between(from, to + by, 1);
    event.preventDefault();
    // The sum of many steps is never quite the end.
    setRange(holder, index, from < 1e-9 ? 0 : from, to > 1 - 1e-9 ? 1 : to);
});

on("pointerdown", ".study-strip, .study-end", (event, node) => {
    if (event.button !== 0) return;
    const holder = node.closest("[data-study-lines]");
    const state = states.get(holder);
    const index = Number(node.dataset.axis);
    const range = rangeOf(state, index);
    const at = partAt(state, event);
    // Who takes an end moves it; who begins elsewhere draws a new range.
    const fixed = { from: range[1], to: range[0] }[node.dataset.end] ?? at;
    state.drag = { index, fixed, isEnd: Boolean(node.dataset.end), y: event.clientY, hasMoved: false };
    state.picture.setPointerCapture(event.pointerId);
    state.unname();
});

on("pointerdown", "[data-study-lines]", (event, holder) => {
    if (states.has(holder)) states.get(holder).wasDragged = false;
});
on("pointermove", "[data-study-lines]", (event, holder) => states.get(holder)?.drag && dragged(holder, event));
for (const type of ["pointerup", "pointercancel"]) on(type, "[data-study-lines]", (event, holder) => dropped(holder));

function dragged(holder, event) {
    const { drag } = states.get(holder);
    drag.hasMoved ||= Math.abs(event.clientY - drag.y) > 3;
    if (!drag.hasMoved) return;
    const at = partAt(states.get(holder), event);
    setRange(holder, drag.index, Math.min(at, drag.fixed), Math.max(at, drag.fixed));
}

function dropped(holder) {
    const state = states.get(holder);
    const drag = state?.drag;
    if (!drag) return;
    state.drag = undefined;
    const isClick = !drag.hasMoved && !drag.isEnd;
    // The click that follows belongs to the axis, unless there was nothing to take back: then it means a line.
    state.wasDragged = !isClick || state.ranges.has(state.study.scales[drag.index].name);
    if (isClick) setRange(holder, drag.index, 0, 1);
    if (state.next) state.rebuild();
}
