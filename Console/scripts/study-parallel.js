// Parallel coordinates: one axis per hyperparameter and the objective's last, one line per trial, drawn as SVG.

import { el, on, one } from "./dom.js";
import { MOST } from "./study-model.js";
import { isTouch, open, stateName } from "./study-plots.js";
import { between, BOTTOM, HEIGHT, pick, states, TOP, yOf } from "./study-ranges.js";
import { t } from "./strings.js";

const SIDE = 16;
const LEAST_GAP = 64;
const SHADES = 8;

function svg(tag, attributes = {}, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
}

/** `onPick` is told the picked trials, best first, whenever they change. */
export function drawParallel(holder, study, onPick) {
    let state = states.get(holder);
    if (!state) {
        // By name: a range outlives trials that come, and an answer with wider scales.
        state = {
            ranges: new Map(), tip: el("div", { className: "study-tip", hidden: true }),
            rebuild: () => build(holder), unname: () => mark(holder),
        };
        states.set(holder, state);
        holder.append(state.tip);
        new ResizeObserver(() => holder.clientWidth !== state.width && !state.drag && build(holder)).observe(holder);
    }
    state.next = { study, onPick };
    // A drag holds on to what is drawn.
    if (!state.drag) build(holder);
}

function fraction(scale, trial) {
    const value = scale.of(trial);
    return value === undefined ? undefined : scale.at(value);
}

// MARK: Drawing

function adopt(state) {
    const { study } = state.next;
    const lines = study.best.slice(0, MOST.lines)
        .map((trial) => ({ trial, fractions: study.scales.map((scale) => fraction(scale, trial)) }));
    Object.assign(state, state.next, { lines, line: undefined, next: undefined });
}

function build(holder) {
    const state = states.get(holder);
    if (state.next) adopt(state);
    const { study: { scales }, lines, picture } = state;
    const focused = picture?.contains(document.activeElement) && { ...document.activeElement.dataset };
    state.width = holder.clientWidth;
    const last = scales.length - 1;
    const room = scales.at(-1).labels ? 90 : 58;
    state.gap = last ? Math.max(LEAST_GAP, (state.width - SIDE - room) / last) : 0;
    state.xOf = (index) => SIDE + index * state.gap;
    const width = Math.max(state.width, state.xOf(last) + room);
    const root = svg("svg", {
        class: "study-lines", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "group",
        "aria-label": `${t("study.parallel")}: ${scales.map(({ name }) => name).join(", ")}`,
    });
    const shades = Array.from({ length: SHADES }, (_, shade) => svg("g", { class: `shade-${shade}` }));
    // The best are drawn last, above the others.
    for (const [rank, line] of [...lines.entries()].reverse()) {
        line.path = svg("path", { d: pathOf(line, state.xOf) });
        shades[SHADES - 1 - Math.floor(rank * SHADES / lines.length)].append(line.path);
    }
    state.marked = svg("path", { class: "study-marked" });
    root.append(svg("g", { class: lines.length > 200 ? "is-dense" : "" }, ...shades), state.marked,
        ...scales.map((scale, index) => axis(state, scale, index)));
    if (picture) picture.replaceWith(root);
    else holder.prepend(root);
    state.picture = root;
    if (focused) one(`[data-axis="${focused.axis}"][data-end="${focused.end}"]`, root)?.focus({ preventScroll: true });
    mark(holder);
    pick(holder);
}

function pathOf({ fractions }, xOf) {
    let path = "";
    let isDown = false;
    fractions.forEach((part, index) => {
        if (part !== undefined) path += `${isDown ? "L" : "M"}${xOf(index).toFixed(1)} ${yOf(part).toFixed(1)}`;
        isDown = part !== undefined;
    });
    return path;
}

// The ends tell names apart.
const cut = (text, most) => text.length <= most ? text
    : `${text.slice(0, Math.ceil((most - 1) / 2))}…${text.slice(text.length - Math.floor((most - 1) / 2))}`;

function axis(state, scale, index) {
    const x = state.xOf(index);
    const isLast = index === state.study.scales.length - 1;
    // Where it is narrow, names take turns in two rows.
    const isNarrow = state.gap < 120;
    const room = Math.floor((isNarrow ? 1.7 : 1) * state.gap / 7.5);
    const name = svg("text", {
        class: "study-name", x: index ? x : 4, y: isNarrow && index % 2 === 0 ? 12 : 28,
        "text-anchor": index ? "middle" : "start",
    }, cut(scale.name, index ? room : room - 2));
    if (isLast && index) {
        name.setAttribute("x", x + 50);
        name.setAttribute("text-anchor", "end");
    }
    const letters = Math.max(6, Math.floor(state.gap / 7) - 1);
    const ticks = scale.ticks().map((number) => svg("g", {},
        svg("path", { d: `M${x} ${yOf(scale.at(number))}h4` }),
        svg("text", { x: x + 7, y: yOf(scale.at(number)) + 3.5 }, cut(scale.format(number), letters))));
    const band = svg("rect", { class: "study-band", x: x - 7, width: 14 });
    const ends = ["from", "to"].map((end) => svg("path", {
        class: "study-end", tabindex: 0, role: "slider", "data-axis": index, "data-end": end,
        "aria-label": t(`study.${end}`, { name: scale.name }), "aria-orientation": "vertical",
        "aria-valuemin": 0, "aria-valuemax": 100,
    }));
    const strip = svg("rect", {
        class: "study-strip", "data-axis": index, x: x - 14, y: TOP - 10, width: 28, height: HEIGHT - TOP - BOTTOM + 20,
    });
    const rule = svg("path", { d: `M${x} ${yOf(1)}V${yOf(0)}` });
    return svg("g", { class: "study-axis" }, svg("title", {}, scale.name), name, rule, ...ticks, band, strip, ...ends);
}

// MARK: Naming a line

on("pointermove", "[data-study-lines]", (event, holder) => {
    const state = states.get(holder);
    if (state && !state.drag && event.pointerType !== "touch") mark(holder, nearest(state, event));
});
on("pointerout", "[data-study-lines]", (event, holder) => {
    // A finger that is lifted has not gone elsewhere: its second tap opens what the first one named.
    if (event.pointerType !== "touch" && states.has(holder) && !holder.contains(event.relatedTarget)) mark(holder);
});
on("click", "[data-study-lines]", (event, holder) => {
    const state = states.get(holder);
    if (!state?.picture.contains(event.target)) return;
    if (state.wasDragged) return (state.wasDragged = false);
    // With a mouse it opens what it named. A click's place is rounded: lines beside each other would change places.
    const line = isTouch() ? nearest(state, event) : state.line;
    const isNamed = line && line === state.line;
    mark(holder, line);
    if (isNamed) open(line.trial, event);
});

function nearest(state, { clientX, clientY }) {
    const box = state.picture.getBoundingClientRect();
    const [x, y] = [clientX - box.left, clientY - box.top];
    const place = state.gap ? (x - SIDE) / state.gap : 0;
    const index = between(0, Math.floor(place), Math.max(0, state.study.scales.length - 2));
    let [found, least] = [undefined, 10];
    for (const line of state.lines) {
        const [left, right] = [line.fractions[index], line.fractions[index + 1]];
        if (!line.isIn || left === undefined || right === undefined) continue;
        const away = Math.abs(yOf(left + between(0, place - index, 1) * (right - left)) - y);
        if (away < least - 0.01) [found, least] = [line, away];
    }
    state.pointer = { x: clientX - holderLeft(state), y };
    return found;
}

const holderLeft = ({ picture: { parentElement: holder } }) => holder.getBoundingClientRect().left - holder.scrollLeft;

function mark(holder, line) {
    const state = states.get(holder);
    const { tip, study } = state;
    holder.classList.toggle("is-naming", Boolean(line));
    if (line !== state.line || !line) {
        state.line = line;
        state.marked.setAttribute("d", line ? pathOf(line, state.xOf) : "");
        tip.hidden = !line;
        if (line) tip.replaceChildren(...tipLines(study, line.trial));
    }
    if (!line) return;
    const most = holder.scrollLeft + state.width - tip.offsetWidth - 4;
    tip.style.left = `${between(holder.scrollLeft, state.pointer.x + 14, most)}px`;
    tip.style.top = `${between(0, state.pointer.y - tip.offsetHeight - 10, HEIGHT)}px`;
}

function tipLines(study, trial) {
    const values = study.scales.map((scale) => {
        const value = scale.of(trial);
        return el("div", {}, `${scale.name}: ${value === undefined ? "–" : scale.format(value)}`);
    });
    const state = trial.state === "SUCCEEDED" ? [] : [el("div", {}, stateName(trial.state))];
    return [el("strong", {}, trial.name), ...values.toReversed(), ...state];
}
