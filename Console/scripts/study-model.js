// What a study's charts draw, made from the server's answer: trials in order, what is thinned out, and scales.

import { formatter } from "./chart-options.js";

/** How many trials each drawing bears: more are no clearer, only slower. */
export const MOST = { points: 4000, lines: 1000, slice: 1000, without: 1000 };
const ACTIVE = new Set(["CREATED", "RUNNING"]);

export const format = formatter("none");
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

export function readStudy(answer) {
    const sign = answer.direction === "MINIMIZE" ? -1 : 1;
    const trials = answer.trials.toSorted((a, b) => a.number - b.number);
    const valued = trials.filter((trial) => isNumber(trial.value));
    const best = valued.toSorted((a, b) => sign * (b.value - a.value) || a.number - b.number);
    best.forEach((trial, rank) => (trial.rank = rank));
    const values = valued.map(({ value }) => value);
    const goal = isNumber(answer.goal) ? answer.goal : null;
    const objective = objectiveScale(answer.objective, values);
    return {
        ...answer, sign, trials, valued, best,
        trialCount: Math.max(answer.trialCount ?? 0, trials.length),
        goal,
        without: trials.filter((trial) => !isNumber(trial.value) && !ACTIVE.has(trial.state)),
        records: records(valued, sign),
        scales: [...answer.parameters.map((parameter) => parameterScale(parameter, valued)), objective],
        objectiveScale: objective,
        // A goal far from all values belongs on the chart over time only; a logarithm may not have it at all.
        historyScale: goal === null || (objective.isLog && goal <= 0) ? objective
            : objectiveScale(answer.objective, [...values, goal]),
        signature: signature(answer),
    };
}

/** Live events are many and most change nothing here. */
const signature = (answer) => JSON.stringify([answer.trialCount, answer.importance, answer.importanceReason,
    answer.trials.map(({ number, state, value }) => [number, state, value])]);

function records(valued, sign) {
    let most = -Infinity;
    return valued.filter(({ value }) => {
        const isBetter = sign * value > most;
        if (isBetter) most = sign * value;
        return isBetter;
    });
}

/** The best, and the newest. */
export function thinned({ best, valued }, most) {
    if (valued.length <= most) return valued;
    const kept = new Set([...best.slice(0, most / 2), ...valued.slice(-most / 2)]);
    return valued.filter((trial) => kept.has(trial));
}

/** As many, spread evenly over all. */
export function spaced(trials, most) {
    if (trials.length <= most) return trials;
    return Array.from({ length: most }, (_, index) => trials[Math.floor(index * trials.length / most)]);
}

// MARK: Scales

/** A scale has `of(trial)`, a number or undefined; `at(number)`, from 0 to 1; and `read(fraction)`, the other way. */
function objectiveScale(name, values) {
    const sorted = Float64Array.from(values).sort();
    const [least, most] = [sorted[0], sorted.at(-1)];
    // One trial that went astray must not press all others flat.
    const isLog = least > 0 && most / sorted[sorted.length >> 1] > 50;
    const of = ({ value }) => isNumber(value) ? value : undefined;
    return { ...continuous(name, least, most, isLog), of };
}

function parameterScale({ name, log, min, max, choices, type }, valued) {
    const texts = valued.map(({ parameters }) => parameters[name])
        .filter((text) => text !== undefined && text !== null);
    if (choices) return ordinal(name, choices.map(String), new Set(texts.map(String)));
    const numbers = texts.map(Number).filter(Number.isFinite);
    const least = numbers.reduce((a, b) => Math.min(a, b), isNumber(min) ? min : Infinity);
    const most = numbers.reduce((a, b) => Math.max(a, b), isNumber(max) ? max : -Infinity);
    const of = ({ parameters }) => {
        const value = parseFloat(parameters[name]);
        return Number.isFinite(value) ? value : undefined;
    };
    return { ...continuous(name, least, most, log && least > 0), of, isInteger: type === "int" };
}

function continuous(name, least, most, isLog) {
    if (!(least <= most)) [least, most] = [0, 1];
    if (least === most) {
        const room = Math.abs(least) / 2 || 1;
        [least, most] = isLog ? [least / 2, most * 2] : [least - room, most + room];
    }
    const [to, from] = isLog ? [Math.log10, (value) => 10 ** value] : [Number, Number];
    const [low, high] = [to(least), to(most)];
    return {
        name, isLog, min: least, max: most, format,
        at: (value) => (to(value) - low) / (high - low),
        read: (fraction) => fraction <= 0 ? least : fraction >= 1 ? most : from(low + fraction * (high - low)),
        ticks: () => (isLog ? logTicks : linearTicks)(least, most),
    };
}

// Choices stand in the middle of bands, so that the ends of a range fall between them.
function ordinal(name, choices, found) {
    const known = new Map(choices.map((choice, index) => [choice, index]));
    // "0.10" is the choice "0.1"; a Map would find every word at NaN.
    const byNumber = new Map(choices.map((choice, index) => [Number(choice), index])
        .filter(([number]) => !Number.isNaN(number)));
    const place = (text) => known.get(text) ?? byNumber.get(Number(text));
    for (const text of found) if (place(text) === undefined) known.set(text, known.size);
    const labels = [...known.keys()];
    const each = Math.ceil(labels.length / 16);
    return {
        name, labels, min: -0.5, max: labels.length - 0.5,
        of: ({ parameters }) => parameters[name] === undefined ? undefined : place(String(parameters[name])),
        at: (index) => (index + 0.5) / labels.length,
        read: (fraction) => fraction * labels.length - 0.5,
        format: (index) => labels[Math.max(0, Math.min(labels.length - 1, Math.round(index)))] ?? "",
        ticks: () => labels.map((_, index) => index).filter((index) => index % each === 0),
    };
}

export function linearTicks(least, most) {
    if (least === most) return [least];
    const rough = (most - least) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
    const ticks = [];
    for (let index = Math.ceil(least / step - 1e-9); index * step <= most + step * 1e-9; index++) {
        ticks.push(Number((index * step).toPrecision(12)));
    }
    return ticks;
}

function logTicks(least, most) {
    const decades = Math.log10(most / least);
    const factors = decades < 2 ? [1, 2, 5] : [1];
    const each = Math.max(1, Math.ceil(decades / 8));
    const ticks = [];
    for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most) + 1e-9; power += each) {
        ticks.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(12))));
    }
    return ticks.filter((value) => value >= least * 0.999999 && value <= most * 1.000001);
}

// MARK: In words

/** Parts of a scale, with the trials that fall into each: its choices, or five stretches. */
export function parts(scale, { valued, sign }) {
    const count = scale.labels?.length ?? 5;
    const buckets = Array.from({ length: count }, () => []);
    for (const trial of valued) {
        const place = scale.of(trial);
        if (place === undefined) continue;
        const index = scale.labels ? place : Math.min(count - 1, Math.floor(scale.at(place) * count));
        buckets[index].push(trial);
    }
    return buckets.map((trials, index) => {
        const sorted = trials.toSorted((a, b) => sign * (b.value - a.value));
        const ends = [index / count, (index + 1) / count].map((fraction) => scale.format(scale.read(fraction)));
        return {
            name: scale.labels ? scale.labels[index] : ends.join(" – "), count: trials.length,
            best: sorted[0]?.value, median: sorted[sorted.length >> 1]?.value,
        };
    }).filter((part) => part.count);
}
