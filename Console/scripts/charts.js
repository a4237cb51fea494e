// Charts of samples and metrics. Chart.js draws; this feeds it, and says in words and in a table what it shows.

import { all, el, fetchJSON, one } from "./dom.js";
import { liveSections, loadLibrary, onTheme } from "./chart-live.js";
import { chartOptions, colours, formatter } from "./chart-options.js";
import { t } from "./strings.js";

const states = new WeakMap();
const figures = new WeakMap();

export const setUpCharts = liveSections("charts", load);

async function load(section, isLatest) {
    const state = states.get(section) ?? { charts: new Map() };
    states.set(section, state);
    const note = one(".empty-note", section);
    try {
        const [answer] = await Promise.all([fetchJSON(section.dataset.charts), loadLibrary()]);
        if (!isLatest()) return;
        if (note) note.hidden = answer.charts.length > 0;
        reconcile(section, state, answer.charts);
    } catch (error) {
        if (state.charts.size || !note) return;
        note.hidden = false;
        note.textContent = t("charts.failed");
    }
}

function reconcile(section, state, charts) {
    const grid = one(".chart-grid", section);
    const ids = new Set(charts.map((chart) => chart.id));
    for (const [id, figure] of state.charts) if (!ids.has(id)) discard(state, id, figure);
    for (const chart of charts) {
        let figure = state.charts.get(chart.id);
        if (!figure) {
            state.charts.set(chart.id, figure = build(chart));
            grid.append(figure);
            watcher.observe(figure);
        }
        describe(figure, chart);
        Object.assign(figures.get(figure), { chart, isStale: true });
        drawIfSeen(figure);
    }
}

function build(chart) {
    const canvas = el("canvas", { role: "img" });
    const plot = el("div", { className: "chart-plot" }, canvas);
    const table = el("table", { className: "table" });
    const data = el("details", { className: "chart-data" }, el("summary", {}, t("charts.data")), table);
    const figure = el("figure", { className: "chart" }, el("figcaption", {}, chart.title), plot, data);
    figures.set(figure, { canvas, plot, table });
    return figure;
}

function discard(state, id, figure) {
    figures.get(figure).drawn?.destroy();
    watcher.unobserve(figure);
    figure.remove();
    state.charts.delete(id);
}

// MARK: Drawing

// Dozens of metrics are common and a chart costs some 10 ms; those out of sight wait.
const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
        figures.get(target).isSeen = isIntersecting;
        drawIfSeen(target);
    }
}, { rootMargin: "200px" });

function drawIfSeen(figure) {
    const state = figures.get(figure);
    if (!state.isSeen || !state.isStale) return;
    state.isStale = false;
    const datasets = datasetsOf(state.chart);
    if (state.drawn) {
        // Kept by position, so that a series hidden with a click on its legend stays hidden.
        datasets.forEach((set, index) => Object.assign(state.drawn.data.datasets[index] ??= {}, set));
        state.drawn.data.datasets.length = datasets.length;
        state.drawn.options = chartOptions(state.chart, figure);
        state.drawn.update("none");
        return;
    }
    // Chart.js fills its parent, whose height must not come from the canvas in turn.
    Object.assign(state.plot.style, { position: "relative", height: `${state.plot.clientHeight || 190}px` });
    const options = chartOptions(state.chart, figure);
    state.drawn = new window.Chart(state.canvas, { type: "line", data: { datasets }, options });
}

function datasetsOf(chart) {
    const palette = colours();
    return chart.series.map(({ label, points }, index) => {
        const colour = palette[index % palette.length];
        return {
            label,
            data: points.map(([x, y]) => ({ x, y: y ?? NaN })),
            borderColor: colour, backgroundColor: colour, hoverBorderColor: colour, hoverBackgroundColor: colour,
            pointHoverBackgroundColor: colour, pointHoverBorderColor: colour,
            borderWidth: 1.5, pointRadius: points.length === 1 ? 2 : 0, pointHoverRadius: 3, pointHitRadius: 8,
        };
    });
}

function recolour() {
    for (const figure of all("figure.chart")) {
        const state = figures.get(figure);
        if (!state?.chart) continue;
        state.isStale = true;
        drawIfSeen(figure);
    }
}

// MARK: In words

function summaries(chart) {
    return chart.series.map(({ label, points }) => {
        let [least, most, latest] = [Infinity, -Infinity, undefined];
        for (const [, y] of points) {
            if (!Number.isFinite(y)) continue;
            least = Math.min(least, y);
            most = Math.max(most, y);
            latest = y;
        }
        return { label, latest, least, most };
    }).filter((summary) => summary.latest !== undefined);
}

function describe(figure, chart) {
    const format = formatter(chart.unit);
    const rows = summaries(chart);
    const { canvas, table } = figures.get(figure);
    const words = rows.slice(0, 4).map(({ label, latest, most }) => {
        const name = rows.length > 1 ? `${chart.title}, ${label}` : chart.title;
        return t("charts.summary", { name, latest: format(latest), max: format(most) });
    });
    canvas.setAttribute("aria-label", words.join("; ") || chart.title);
    const columns = [t("charts.series"), t("charts.latest"), t("charts.min"), t("charts.max")];
    const head = columns.map((text) => el("th", { scope: "col" }, text));
    const body = rows.map(({ label, latest, least, most }) => el("tr", {}, el("th", { scope: "row" }, label),
        ...[latest, least, most].map((value) => el("td", { className: "number" }, format(value)))));
    table.replaceChildren(el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
}

onTheme(recolour);
