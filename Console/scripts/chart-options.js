// How charts look: colours from the stylesheet, axes with round steps, values with their units.

import { el, formatBytes, formatNumber, language } from "./dom.js";

/** Colours as the browser resolves them: properties may hold var() or light-dark(), which a canvas does not know. */
export function resolved(properties) {
    const probe = el("span", { hidden: true });
    document.body.append(probe);
    const palette = properties.map((property) => {
        probe.style.color = `var(${property})`;
        return getComputedStyle(probe).color;
    });
    probe.remove();
    return palette;
}

export const colours = () => resolved([1, 2, 3, 4, 5, 6, 7, 8].map((index) => `--series-${index}`));

const oneDigit = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });

function plain(value) {
    const size = Math.abs(value);
    if (size && (size < 1e-3 || size >= 1e7)) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
    return formatNumber(value);
}

const formatters = {
    percent: (value) => `${oneDigit.format(value)} %`,
    bytes: (value) => formatBytes(value),
    bytesPerSecond: (value) => `${formatBytes(value)}/s`,
    count: (value) => compact.format(value),
    milliseconds: (value) => value < 1000 ? `${formatNumber(value, 3)} ms` : `${formatNumber(value / 1000, 3)} s`,
};

export const formatter = (unit) => formatters[unit] ?? plain;

export function chartOptions({ unit, x, series, range }, figure) {
    const style = getComputedStyle(figure);
    const isTime = x === "time";
    const isBytes = unit?.startsWith("bytes");
    const format = formatter(unit);
    const font = { family: style.fontFamily, size: 11 };
    const ticks = { color: style.color, font, maxRotation: 0, maxTicksLimit: 6 };
    const grid = { color: faint(style.color), drawBorder: false, tickLength: 4 };
    return {
        animation: false, maintainAspectRatio: false, parsing: false, normalized: true,
        interaction: { mode: "index", axis: "x", intersect: false },
        scales: {
            x: {
                type: "linear", bounds: "data", min: range?.[0], max: range?.[1], grid: { ...grid, display: false },
                afterBuildTicks: isTime ? timeTicks : undefined,
                ticks: { ...ticks, callback: isTime ? timeLabel : stepLabel },
            },
            y: {
                beginAtZero: unit !== "none", suggestedMax: unit === "percent" ? 100 : undefined, grid,
                afterBuildTicks: isBytes ? byteTicks : undefined,
                ticks: {
                    ...ticks, maxTicksLimit: 5, precision: unit === "count" ? 0 : undefined,
                    callback: (value) => format(value),
                },
            },
        },
        plugins: {
            legend: {
                display: series.length > 1, position: "bottom", align: "start",
                labels: { color: style.color, font, boxWidth: 10, boxHeight: 2 },
            },
            tooltip: {
                bodyFont: font, titleFont: font, boxWidth: 8, boxHeight: 8, caretSize: 0, cornerRadius: 4,
                callbacks: {
                    title: ([item]) => item && (isTime ? moment(item.parsed.x) : formatNumber(item.parsed.x, 12)),
                    label: (item) => `${item.dataset.label}: ${format(item.parsed.y)}`,
                },
            },
            // Low, because Chart.js' own shortcut for points that share a pixel draws kinks into smooth curves.
            decimation: { enabled: true, algorithm: "min-max", threshold: 250 },
        },
    };
}

// From the text's own colour, so that it fits every theme.
const faint = (colour) => `color-mix(in srgb, ${colour} 14%, transparent)`;

const stepLabel = (value) => Number.isInteger(value) ? compact.format(value) : "";

// MARK: Time

const dates = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
const moment = (seconds) => dates.format(seconds * 1000);
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

function timeTicks(axis) {
    const span = axis.max - axis.min;
    const most = Math.max(2, Math.min(7, Math.floor(axis.width / 70)));
    const step = steps.find((size) => span / size < most) ?? Math.ceil(span / most / 86_400) * 86_400;
    // Round in the reader's zone: whole hours in one zone are half hours in another.
    const offset = new Date(axis.min * 1000).getTimezoneOffset() * 60;
    axis.ticks = ticksFrom(Math.ceil((axis.min - offset) / step) * step + offset, axis.max, step);
    axis.takumiStep = step;
}

function ticksFrom(first, last, step) {
    const ticks = [];
    for (let value = first; value <= last; value += step) ticks.push({ value });
    return ticks;
}

function timeLabel(seconds) {
    const date = new Date(seconds * 1000);
    if (this.takumiStep >= 86_400) return date.toLocaleDateString(language, { month: "numeric", day: "numeric" });
    const pad = (value) => String(value).padStart(2, "0");
    return `${date.getHours()}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

// MARK: Bytes

// Steps of powers of two: with those of ten the axis would read 476.8 MiB, 953.7 MiB, …
function byteTicks(axis) {
    const step = 2 ** Math.max(0, Math.ceil(Math.log2((axis.max - axis.min) / 4 || 1)));
    axis.ticks = ticksFrom(Math.ceil(axis.min / step) * step, axis.max, step);
}
