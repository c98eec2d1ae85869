// What was taken away between two texts, and what was added.

const mostEdits = 600; // of words; what differs in more is replaced as a whole
const words = /[\p{L}\p{M}\p{N}_]+|\s+|[^]/gu;

/** [[sign, text], ...]: 0 in both, -1 in the first alone, 1 in the second alone. */
function difference(a, b) {
    const begin = commonStart(a, b);
    const end = commonEnd(a, b, begin);
    const parts = [];
    add(parts, 0, a.slice(0, begin));
    middle(parts, a.slice(begin, a.length - end), b.slice(begin, b.length - end));
    add(parts, 0, a.slice(a.length - end));
    return withinWords(parts);
}

const inWord = /[\p{L}\p{M}\p{N}_]/u;
const wordAt = (text, at) => at >= 0 && at < text.length && inWord.test(text[at]);

/** How much the beginnings have in common, in whole words. */
function commonStart(a, b) {
    const shorter = Math.min(a.length, b.length);
    let at = 0;
    while (at < shorter && a[at] === b[at]) ++at;
    while (at > 0 && wordAt(a, at - 1) && (wordAt(a, at) || wordAt(b, at))) --at;
    return wholeStart(a, b, at);
}

/** The same for the ends, behind the beginning. */
function commonEnd(a, b, begin) {
    const most = Math.min(a.length, b.length) - begin;
    let size = 0;
    while (size < most && a[a.length - 1 - size] === b[b.length - 1 - size]) ++size;
    const [x, y] = [a.length - size, b.length - size];
    let inner = 0;
    while (inner < size && wordAt(a, x + inner) && (wordAt(a, x + inner - 1) || wordAt(b, y + inner - 1))) ++inner;
    size -= inner;
    return size > 0 && isLowSurrogate(a, a.length - size) ? size - 1 : size;
}

/** Of a word that took another's place, what the two share at their ends is in both. */
function withinWords(parts) {
    const finer = [];
    for (let i = 0; i < parts.length; ++i) {
        const [x, y] = [parts[i][1], parts[i + 1]?.[1]];
        if (parts[i][0] !== -1 || parts[i + 1]?.[0] !== 1) {
            add(finer, ...parts[i]);
            continue;
        }
        const most = Math.min(x.length, y.length);
        let begin = 0;
        while (begin < most && x[begin] === y[begin]) ++begin;
        begin = wholeStart(x, y, begin);
        let end = 0;
        while (end < most - begin && x[x.length - 1 - end] === y[y.length - 1 - end]) ++end;
        if (end > 0 && isLowSurrogate(x, x.length - end)) --end;
        add(finer, 0, x.slice(0, begin));
        add(finer, -1, x.slice(begin, x.length - end));
        add(finer, 1, y.slice(begin, y.length - end));
        add(finer, 0, x.slice(x.length - end));
        ++i;
    }
    return finer;
}

function isLowSurrogate(text, at) {
    const unit = text.charCodeAt(at);
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/** The place, or the one before where a character of two units would be taken apart. */
function wholeStart(a, b, at) {
    return at > 0 && (isLowSurrogate(a, at) || isLowSurrogate(b, at)) ? at - 1 : at;
}

function add(parts, sign, text) {
    if (text === "") return;
    const last = parts[parts.length - 1];
    if (last && last[0] === sign) last[1] += text;
    else parts.push([sign, text]);
}

/** By words: the shortest script of edits (E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986). */
function middle(parts, a, b) {
    const x = a.match(words) ?? [];
    const y = b.match(words) ?? [];
    const trace = editTrace(x, y);
    if (!trace) {
        add(parts, -1, a);
        add(parts, 1, b);
        return;
    }
    const steps = []; // from the end
    let [i, j] = [x.length, y.length];
    for (let edits = trace.length - 1; edits >= 0; --edits) {
        const far = trace[edits];
        const k = i - j;
        const down = k === -edits || (k !== edits && far(k - 1) < far(k + 1));
        const from = edits === 0 ? 0 : down ? far(k + 1) : far(k - 1) + 1;
        for (; i > from; --i, --j) steps.push([0, x[i - 1]]);
        if (edits === 0) break;
        if (down) steps.push([1, y[--j]]);
        else steps.push([-1, x[--i]]);
    }
    for (const [sign, text] of steps.reverse()) add(parts, sign, text);
}

/** For each number of edits how far one came on each diagonal with one less; undefined if there are too many. */
function editTrace(x, y) {
    let reached = new Int32Array(3);
    const trace = [];
    for (let edits = 0; edits <= mostEdits; ++edits) {
        const before = reached;
        const middleOf = (before.length - 1) / 2;
        const far = (k) => before[middleOf + k] ?? -1;
        trace.push(far);
        reached = new Int32Array(2 * edits + 5).fill(-1);
        for (let k = -edits; k <= edits; k += 2) {
            let i = edits === 0 ? 0 : k === -edits || (k !== edits && far(k - 1) < far(k + 1)) ? far(k + 1) : far(k - 1) + 1;
            while (i < x.length && i - k < y.length && x[i] === y[i - k]) ++i;
            reached[edits + 2 + k] = i;
            if (i >= x.length && i - k >= y.length) return trace;
        }
    }
    return undefined;
}

const isText = (kind) => kind === "text" || kind === "empty";
const shownInRow = 240; // characters of a value in a row of the table
const longestLead = 40; // of them that are the same and stand first; of a longer lead the last ones are shown
const ahead = 16; // as many

/** Shows one side of a difference. @param side -1: as it was, 1: as it is; @param lines in full, with line breaks */
function appendSide(to, parts, side, lines) {
    let skipped = 0;
    let left = lines ? Infinity : shownInRow;
    for (const [index, [sign, text]] of parts.entries()) {
        if (sign === -side || left <= 0) continue;
        let shown = text;
        if (!lines && index === 0 && sign === 0 && text.length > longestLead) {
            skipped = wholeStart(text, text, text.length - ahead);
            shown = "…" + text.slice(skipped);
        }
        if (shown.length > left) shown = shown.slice(0, wholeStart(shown, shown, left)) + "…";
        left -= shown.length;
        const place = sign === 0 ? to : to.appendChild(element(side < 0 ? "del" : "ins"));
        appendText(place, shown, lines);
    }
}

/** Shows a text with nothing to compare it to; blanks at its ends, which nobody would see, as dots. */
function appendWhole(to, text, lines) {
    const [, before, inner, behind] = /^( *)([^]*?)( *)$/u.exec(text);
    if (before) to.append(element("span", "space", "·".repeat(before.length)));
    appendText(to, inner, lines);
    if (behind) to.append(element("span", "space", "·".repeat(behind.length)));
}

/** A cell for one side of a change. @param sides the values [before, after] */
function valueCell(sides, side, lines) {
    const cell = element("bdi", "value");
    const here = reading(sides[side < 0 ? 0 : 1]);
    const there = reading(sides[side < 0 ? 1 : 0]);
    if (here.kind === "absent") return cell;
    if (here.kind === "null" || here.kind === "empty") {
        cell.append(element("span", "nil", here.kind === "null" ? "NULL" : "empty text"));
        return cell;
    }
    if (!isText(here.kind) && here.kind !== "number" && here.kind !== "boolean") cell.append(element("span", "tag", here.kind));
    if (isText(here.kind) && isText(there.kind)) {
        const parts = side < 0 ? difference(here.text, there.text) : difference(there.text, here.text);
        appendSide(cell, parts, side, lines);
    } else {
        appendWhole(cell, lines ? here.text : here.text.slice(0, shownInRow), lines);
    }
    const cut = sides[side < 0 ? 0 : 1];
    if (lines && isCut(cut)) cell.append(element("span", "nil", ` … cut here: ${count(cut[1])} bytes in all`));
    return cell;
}
