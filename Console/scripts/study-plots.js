// The charts of a study that Chart.js draws: the objective over time, importance, one small plot per hyperparameter.

import { on, one } from "./dom.js";
import { chartOptions, formatter, resolved } from "./chart-options.js";
import { format, linearTicks, MOST, spaced, thinned } from "./study-model.js";
import { t } from "./strings.js";

const percent = formatter("percent");
const states = new WeakMap();

export const stateName = (state) => state.replaceAll("_", " ");

/** Without a mouse a first tap must name the trial before a second one leaves the page. */
export const isTouch = () => matchMedia("(hover: none)").matches;

export function open({ href }, event = {}) {
    if (event.ctrlKey || event.metaKey || event.button === 1) window.open(href, "_blank", "noopener");
    else location.assign(href);
}

// MARK: What each draws

export function drawHistory(canvas, study) {
    const { historyScale: scale, records, without, goal } = study;
    const [points, line, none, faint, surface] =
        resolved(["--series-1", "--series-2", "--series-7", "--series-8", "--bg"]);
    const shown = thinned(study, MOST.points);
    const [first, last] = [study.trials[0].number, study.trials.at(-1).number];
    const place = (trial) => ({ x: trial.number, y: scale.at(trial.value), trial });
    const dots = (label, trials, fill) => ({
        label, data: trials.map(place), showLine: false, pointStyle: "circle", order: 2, borderWidth: 1.25,
        pointRadius: shown.length > 500 ? 2 : 3.5, pointHoverRadius: 5.5, pointHitRadius: 8,
        borderColor: points, backgroundColor: fill, hoverBorderColor: points, hoverBackgroundColor: fill,
    });
    const rule = { pointRadius: 0, pointHitRadius: 0, pointHoverRadius: 0, pointStyle: "line", fill: false, order: 1 };
    const steps = [...records.map(place), { x: last, y: scale.at(records.at(-1).value) }].map(({ x, y }) => ({ x, y }));
    const hasGoal = goal !== null && Number.isFinite(scale.at(goal));
    const sets = [
        dots(t("study.trials"), shown.filter(({ state }) => state === "SUCCEEDED"), points),
        dots(t("study.partial"), shown.filter(({ state }) => state !== "SUCCEEDED"), surface),
        {
            ...rule, label: t("study.bestSoFar"), data: steps, stepped: "before", borderWidth: 2,
            borderColor: line, hoverBorderColor: line,
        },
        {
            ...rule, label: t("study.goal", { value: hasGoal ? format(goal) : "" }),
            borderWidth: 1.5, borderDash: [5, 4], borderColor: faint, hoverBorderColor: faint,
            data: hasGoal ? [first - 1, last + 1].map((x) => ({ x, y: scale.at(goal) })) : [],
        },
        {
            ...dots(t("study.noValue"), [], none), pointStyle: "crossRot", pointRadius: 3.5, borderWidth: 1.5,
            borderColor: none, hoverBorderColor: none, yAxisID: "edge", clip: false,
            data: spaced(without, MOST.without).map((trial) => ({ x: trial.number, y: 0, trial })),
        },
    ].filter(({ data }) => data.length);
    paint(canvas, study, sets, (options) => {
        const margin = Math.max(0.5, (last - first) * 0.015);
        const ticks = linearTicks(first, last).filter(Number.isInteger).map((value) => ({ value }));
        Object.assign(options.scales.x, {
            min: first - margin, max: last + margin,
            afterBuildTicks: (axis) => (axis.ticks = ticks),
        });
        options.scales.edge = { type: "linear", axis: "y", min: 0, max: 1, display: false };
        withScale(options.scales.y, scale, 0.06);
        options.plugins.legend.display = true;
    });
}

export function drawSlice(canvas, study, scale) {
    const palette = resolved(["--order-0", "--order-1", "--order-2", "--order-3", "--order-4"]);
    // From the best to the worst, so that a part of very many keeps the shape of all.
    const trials = spaced(study.best, MOST.slice).filter((trial) => scale.of(trial) !== undefined)
        .sort((a, b) => a.number - b.number);
    const fills = trials.map((_, index) => palette[Math.floor(index * 5 / trials.length)]);
    const data = trials.map((trial) => ({
        x: scale.at(scale.of(trial)) + (scale.labels ? spread(trial.number) / scale.labels.length : 0),
        y: study.objectiveScale.at(trial.value), trial,
    }));
    paint(canvas, study, [{
        data, showLine: false, borderWidth: 1,
        pointRadius: trials.length > 300 ? 2 : 3, pointHoverRadius: 5, pointHitRadius: 8,
        borderColor: fills, backgroundColor: fills, hoverBorderColor: fills, hoverBackgroundColor: fills,
    }], (options) => {
        withScale(options.scales.x, scale, 0.03);
        withScale(options.scales.y, study.objectiveScale, 0.06);
        options.scales.x.ticks.maxTicksLimit = 6;
    }, scale);
}

// Trials of one choice would hide each other. Not by chance: a point must not move when the page draws again.
const spread = (number) => (number * 0.618034 % 1 - 0.5) * 0.5;

export function drawImportance(canvas, study) {
    const [fill] = resolved(["--series-1"]);
    const shares = Object.entries(study.importance).sort((a, b) => b[1] - a[1]);
    // Chart.js fills its parent, whose height must not come from the canvas in turn.
    canvas.parentElement.style.height = `${40 + shares.length * 28}px`;
    paint(canvas, study, [{
        data: shares.map(([, share]) => share * 100), backgroundColor: fill, hoverBackgroundColor: fill,
        barThickness: 14, borderRadius: 2,
    }], (options) => {
        const { x, y } = options.scales;
        Object.assign(options, { indexAxis: "y", parsing: undefined, normalized: false });
        options.onClick = options.onHover = undefined;
        options.layout = { padding: { right: 44 } };
        options.scales = {
            x: {
                ...x, min: 0, max: 100, bounds: "ticks",
                ticks: { ...x.ticks, callback: (value) => percent(value), maxTicksLimit: 5 },
            },
            y: {
                type: "category", labels: shares.map(([name]) => short(name)),
                grid: { display: false, drawBorder: false }, ticks: { color: x.ticks.color, font: x.ticks.font },
            },
        };
        options.plugins.tooltip.enabled = false;
    }, undefined, "bar");
}

const short = (name) => name.length > 18 ? `${name.slice(0, 9)}…${name.slice(-8)}` : name;

// The share stands behind its bar.
const shareLabels = {
    id: "shareLabels",
    afterDatasetsDraw({ ctx, config, scales, options }) {
        if (options.indexAxis !== "y") return;
        const { color, font } = options.scales.x.ticks;
        Object.assign(ctx, { fillStyle: color, font: `${font.size}px ${font.family}` });
        Object.assign(ctx, { textAlign: "left", textBaseline: "middle" });
        config.data.datasets[0].data.forEach((share, index) => ctx.fillText(
            percent(share), scales.x.getPixelForValue(share) + 6, scales.y.getPixelForValue(index)));
    },
};

// MARK: Drawing

function withScale(axis, scale, margin) {
    Object.assign(axis, { type: "linear", min: -margin, max: 1 + margin, beginAtZero: false });
    axis.afterBuildTicks = (built) => {
        built.ticks = scale.ticks().map((number) => ({ value: scale.at(number), number }));
    };
    axis.ticks = {
        ...axis.ticks, maxTicksLimit: undefined, precision: undefined,
        callback: (value, index, all) => scale.format(all[index].number),
    };
}

function paint(canvas, study, datasets, adapt, scale, type = "line") {
    const figure = canvas.closest("figure");
    const options = chartOptions({ unit: "none", x: "step", series: [] }, figure);
    options.interaction = { mode: "nearest", intersect: true };
    options.plugins.decimation.enabled = false;
    Object.assign(options.plugins.legend.labels, { usePointStyle: true, boxWidth: 14, boxHeight: 7 });
    // Clicks are for trials.
    options.plugins.legend.onClick = undefined;
    options.plugins.tooltip.filter = (item, index) => index === 0;
    options.plugins.tooltip.displayColors = false;
    options.plugins.tooltip.callbacks = {
        title: ([item]) => item?.raw.trial?.name,
        label: ({ raw: { trial } }) => trial ? words(study, trial, scale) : "",
    };
    options.onHover = (event, hits, chart) => (chart.canvas.style.cursor = hits.length ? "pointer" : "");
    options.onClick = ({ native }, hits, chart) => {
        const trial = hits.length && trialAt(chart, hits[0]);
        const isNamed = states.get(canvas).named === trial;
        states.get(canvas).named = trial;
        if (trial && (isNamed || !isTouch())) open(trial, native);
    };
    adapt(options);
    const state = states.get(canvas);
    if (state) {
        state.chart.data.datasets = datasets;
        state.chart.options = options;
        state.chart.update("none");
    } else {
        const chart = new window.Chart(canvas, { type, data: { datasets }, options, plugins: [shareLabels] });
        states.set(canvas, { chart });
    }
    Object.assign(states.get(canvas), { study, scale, at: undefined });
}

export function undraw(canvas) {
    states.get(canvas)?.chart.destroy();
    states.delete(canvas);
}

const trialAt = (chart, { datasetIndex, index }) => chart.data.datasets[datasetIndex].data[index].trial;

export function words(study, trial, scale) {
    const lines = Number.isFinite(trial.value) ? [`${study.objective}: ${format(trial.value)}`] : [];
    if (!lines.length || trial.state !== "SUCCEEDED") lines.push(stateName(trial.state));
    if (scale) lines.push(`${scale.name}: ${trial.parameters[scale.name]}`);
    return lines;
}

// MARK: Keys

// Arrow keys go from point to point as they follow each other along the axis, Enter opens the trial.
on("keydown", "[data-study] canvas[tabindex]", (event, canvas) => {
    const state = states.get(canvas);
    if (!state || event.ctrlKey || event.metaKey || event.altKey) return;
    const hits = state.chart.data.datasets
        .flatMap(({ data }, datasetIndex) => data.map((point, index) => ({ ...point, datasetIndex, index })))
        .filter(({ trial }) => trial).sort((a, b) => a.x - b.x || a.trial.number - b.trial.number);
    if (!hits.length) return;
    const last = hits.length - 1;
    const now = hits.findIndex(({ trial }) => trial.number === state.at);
    if (event.key === "Enter" && now >= 0) return open(hits[now].trial, event);
    const after = Math.min(last, now + 1);
    const before = now < 0 ? last : Math.max(0, now - 1);
    const next = {
        ArrowRight: after, ArrowUp: after, ArrowLeft: before, ArrowDown: before, Home: 0, End: last, Escape: -1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const hit = hits[next];
    state.at = hit?.trial.number;
    const active = hit ? [{ datasetIndex: hit.datasetIndex, index: hit.index }] : [];
    state.chart.setActiveElements(active);
    state.chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
    state.chart.update("none");
    const said = one("[data-study-said]", canvas.closest("[data-study]"));
    if (said) said.textContent = hit ? [hit.trial.name, ...words(state.study, hit.trial, state.scale)].join(", ") : "";
});
