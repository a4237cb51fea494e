// The study of a tuning: which trials did best, and which hyperparameters made them. This loads it, says it in words
// and tables, and hands it to what draws.

import { all, el, fetchJSON, formatCount, on, one } from "./dom.js";
import { liveSections, loadLibrary, onTheme } from "./chart-live.js";
import { format, MOST, parts, readStudy } from "./study-model.js";
import { drawParallel } from "./study-parallel.js";
import { drawHistory, drawImportance, drawSlice, undraw } from "./study-plots.js";
import { clearRanges } from "./study-ranges.js";
import { t } from "./strings.js";

const ROWS = 100;
const states = new WeakMap();

export const setUpStudies = liveSections("study", load);

async function load(section, isLatest) {
    const state = states.get(section) ?? { slices: new Map() };
    states.set(section, state);
    try {
        const [answer] = await Promise.all([fetchJSON(section.dataset.study), loadLibrary()]);
        if (!isLatest()) return;
        const study = readStudy(answer);
        if (study.signature === state.study?.signature) return;
        state.study = study;
        await show(section, state, isLatest);
    } catch (error) {
        if (!state.study) say(section, t("charts.failed"));
    }
}

function say(section, text) {
    const note = one("[data-study-note]", section);
    note.textContent = text;
    note.hidden = !text;
    one("[data-study-body]", section).hidden = Boolean(text);
}

// A list of thousands takes a while to draw; in between the page answers.
const breathe = () => new Promise((resolve) => setTimeout(resolve));

async function show(section, state, isLatest) {
    const { study } = state;
    const count = formatCount(study.trialCount);
    const isEmpty = !study.valued.length;
    say(section, !isEmpty ? "" : study.trialCount ? t("study.noValues", { count }) : t("study.none"));
    if (isEmpty) return;
    summarise(section, study);
    for (const step of [history, importance, lines, slices]) {
        step(section, state);
        await breathe();
        if (!isLatest()) return;
    }
    await learnImportance(section, state, isLatest);
}

// It takes the server longer than all the rest, so it is asked for when that is drawn.
async function learnImportance(section, state, isLatest) {
    const { study } = state;
    if (!study.importanceHref) return;
    const { importances, reason } = await fetchJSON(study.importanceHref).catch(() => ({ reason: t("charts.failed") }));
    if (!isLatest()) return;
    Object.assign(study, { importance: importances, importanceReason: reason, importanceHref: undefined });
    importance(section, state);
}

const part = (section, name) => one(`[data-study-part="${name}"]`, section);
const words = (figure, text) => {
    const note = one("[data-study-words]", figure);
    note.textContent = text;
    note.hidden = !text;
};
const head = (...columns) => el("thead", {}, el("tr", {}, ...columns.map((text, index) =>
    el("th", { scope: "col", className: index ? "number" : "" }, text))));
// Of very many trials the server tells only some.
const isPart = ({ trials, trialCount }) => trials.length < trialCount;
const row = (first, ...cells) => el("tr", {}, el("th", { scope: "row" }, first),
    ...cells.map((text) => el("td", { className: "number" }, text)));
const link = ({ href, name }) => el("a", { href }, name);
const value = (number) => number === undefined ? "–" : format(number);

function summarise(section, study) {
    const { objective, best: [best], valued, trialCount, goal } = study;
    const words = [
        isPart(study) ? `${t("study.trials")}: ${formatCount(trialCount)}`
            : t("study.counts", { count: formatCount(trialCount), valued: formatCount(valued.length) }),
        goal === null ? "" : t("study.goal", { value: format(goal) }),
        t("study.best", { objective, value: format(best.value) }),
    ];
    one("[data-study-summary]", section).replaceChildren(words.filter(Boolean).join(" · "), " ", link(best));
}

const shownWords = (shown, { trialCount }) =>
    t("study.shown", { shown: formatCount(shown), count: formatCount(trialCount) });

// MARK: The parts

function history(section, { study }) {
    const figure = part(section, "history");
    const canvas = one("canvas", figure);
    const { trials, trialCount, valued, without, records, objective, best } = study;
    drawHistory(canvas, study);
    const shown = trials.length - Math.max(0, valued.length - MOST.points);
    words(figure, shown < trialCount ? shownWords(shown, study) : "");
    canvas.setAttribute("aria-label", [
        `${t("study.best", { objective, value: format(best[0].value) })} ${best[0].name}`,
        `${t("study.trials")}: ${formatCount(valued.length)}`, `${t("study.noValue")}: ${formatCount(without.length)}`,
    ].join("; "));
    one("table", figure).replaceChildren(head(t("study.bestSoFar"), objective),
        el("tbody", {}, ...records.slice(-ROWS).reverse().map((trial) => row(link(trial), format(trial.value)))));
}

function importance(section, state) {
    const { study } = state;
    const figure = part(section, "importance");
    const canvas = one("canvas", figure);
    const hasAny = study.importance && Object.keys(study.importance).length > 0;
    const few = one("[data-study-few]", figure);
    few.hidden = hasAny;
    state.few ??= few.textContent;
    few.textContent = study.importanceHref ? t("study.computing") : study.importanceReason || state.few;
    canvas.parentElement.hidden = one("details", figure).hidden = !hasAny;
    if (!hasAny) return undraw(canvas);
    drawImportance(canvas, study);
    const shares = Object.entries(study.importance).sort((a, b) => b[1] - a[1])
        .map(([name, share]) => [name, `${(share * 100).toFixed(1)} %`]);
    canvas.setAttribute("aria-label", shares.map(([name, share]) => `${name} ${share}`).join(", "));
    one("table", figure).replaceChildren(el("tbody", {}, ...shares.map(([name, share]) => row(name, share))));
}

function lines(section, state) {
    const figure = part(section, "parallel");
    const { study } = state;
    const { length } = study.best;
    words(figure, [
        isPart(study) ? shownWords(study.trials.length, study) : "",
        length > MOST.lines ? t("study.lines", { shown: formatCount(MOST.lines), count: formatCount(length) }) : "",
    ].filter(Boolean).join(" "));
    drawParallel(one("[data-study-lines]", figure), study, (picked, isPicking) => {
        state.picked = picked;
        const total = formatCount(Math.min(study.best.length, MOST.lines));
        const parts = [t("study.picked", { count: formatCount(picked.length), total })];
        if (picked.length) {
            parts.push(t("study.best", { objective: study.objective, value: format(picked[0].value) }), picked[0].name);
        }
        one("[data-study-picked]", figure).textContent = isPicking ? parts.join(" · ") : "";
        one("[data-study-clear]", figure).disabled = !isPicking;
        list(figure, state);
    });
}

// Only while somebody looks: it has a cell for each trial and hyperparameter.
function list(figure, { study, picked }) {
    if (!one("details", figure).open) return;
    const rows = picked.slice(0, ROWS).map((trial) => row(link(trial), format(trial.value),
        ...study.parameters.map(({ name }) => trial.parameters[name] ?? "–")));
    const names = study.parameters.map(({ name }) => name);
    one("table", figure).replaceChildren(head(t("study.trials"), study.objective, ...names), el("tbody", {}, ...rows));
}

document.addEventListener("toggle", ({ target }) => {
    const figure = target.closest?.('[data-study-part="parallel"]');
    const state = figure && states.get(figure.closest("[data-study]"));
    if (state?.picked) list(figure, state);
}, true);

on("click", "[data-study-clear]", (event, button) => {
    const figure = button.closest("figure");
    clearRanges(one("[data-study-lines]", figure));
    // A disabled button would drop the focus.
    one(".study-end", figure)?.focus();
});

// MARK: Slices

function slices(section, { study, slices: known }) {
    const holder = part(section, "slices");
    const scales = study.scales.slice(0, -1);
    for (const [name, figure] of known) {
        if (scales.some((scale) => scale.name === name)) continue;
        undraw(one("canvas", figure));
        watcher.unobserve(figure);
        figure.remove();
        known.delete(name);
    }
    const { length } = study.valued;
    words(holder, isPart(study) ? shownWords(Math.min(length, MOST.slice), study)
        : length > MOST.slice ? t("study.sample", { shown: formatCount(MOST.slice), count: formatCount(length) }) : "");
    for (const scale of scales) {
        let figure = known.get(scale.name);
        if (!figure) {
            known.set(scale.name, figure = buildSlice(scale.name));
            one(".chart-grid", holder).append(figure);
            watcher.observe(figure);
        }
        describeSlice(figure, study, scale);
        const slice = states.get(figure);
        Object.assign(slice, { study, scale, isStale: true });
        drawIfSeen(figure);
    }
}

function buildSlice(name) {
    const canvas = el("canvas", { role: "img", tabIndex: 0 });
    const table = el("table", { className: "table" });
    const figure = el("figure", { className: "chart" }, el("figcaption", {}, name),
        el("div", { className: "chart-plot" }, canvas),
        el("details", { className: "chart-data" }, el("summary", {}, t("charts.data")), table));
    states.set(figure, {});
    return figure;
}

function describeSlice(figure, study, scale) {
    const best = study.best.find((trial) => scale.of(trial) !== undefined);
    const words = [scale.name];
    if (best) {
        words.push(t("study.best", { objective: study.objective, value: format(best.value) }),
            `${scale.name} = ${scale.format(scale.of(best))}`);
    }
    one("canvas", figure).setAttribute("aria-label", words.join("; "));
    const rows = parts(scale, study)
        .map(({ name, count, best, median }) => row(name, formatCount(count), value(best), value(median)));
    one("table", figure).replaceChildren(
        head(scale.name, t("study.trials"), t("study.bestValue"), t("study.median")), el("tbody", {}, ...rows));
}

// As with other charts: a plot costs some 10 ms, and those out of sight wait.
const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
        states.get(target).isSeen = isIntersecting;
        drawIfSeen(target);
    }
}, { rootMargin: "200px" });

function drawIfSeen(figure) {
    const { study, scale, isSeen, isStale } = states.get(figure);
    if (!isSeen || !isStale) return;
    states.get(figure).isStale = false;
    drawSlice(one("canvas", figure), study, scale);
}

onTheme(async () => {
    for (const section of all("[data-study]")) {
        const state = states.get(section);
        // The lines take their colours from the stylesheet.
        for (const step of state?.study?.valued.length ? [history, importance, slices] : []) {
            step(section, state);
            await breathe();
        }
    }
});
