// What was taken away between two texts, and what was added.

const mostSteps = 400000; // of comparing words; longer middles are replaced as a whole
const words = /[\p{L}\p{M}\p{N}_]+|\s+|[^]/gu;

/** [[sign, text], ...]: 0 in both, -1 in the first alone, 1 in the second alone. */
function difference(a, b) {
    let begin = 0;
    const shorter = Math.min(a.length, b.length);
    while (begin < shorter && a[begin] === b[begin]) ++begin;
    begin = wordStart(a, b, begin);
    let end = 0;
    while (end < shorter - begin && a[a.length - 1 - end] === b[b.length - 1 - end]) ++end;
    if (end > 0 && isLowSurrogate(a, a.length - end)) --end;
    const parts = [];
    add(parts, 0, a.slice(0, begin));
    middle(parts, a.slice(begin, a.length - end), b.slice(begin, b.length - end));
    add(parts, 0, a.slice(a.length - end));
    return parts;
}

function isLowSurrogate(text, at) {
    const unit = text.charCodeAt(at);
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/** A character of two units is not taken apart. */
function wordStart(a, b, at) {
    return at > 0 && (isLowSurrogate(a, at) || isLowSurrogate(b, at)) ? at - 1 : at;
}

function add(parts, sign, text) {
    if (text === "") return;
    const last = parts[parts.length - 1];
    if (last && last[0] === sign) last[1] += text;
    else parts.push([sign, text]);
}

/** By words: the longest common sequence. */
function middle(parts, a, b) {
    const x = a.match(words) ?? [];
    const y = b.match(words) ?? [];
    if (x.length * y.length === 0 || x.length * y.length > mostSteps) {
        add(parts, -1, a);
        add(parts, 1, b);
        return;
    }
    const width = y.length + 1;
    const lengths = new Uint16Array((x.length + 1) * width);
    for (let i = x.length - 1; i >= 0; --i) {
        for (let j = y.length - 1; j >= 0; --j) {
            lengths[i * width + j] = x[i] === y[j]
                ? lengths[(i + 1) * width + j + 1] + 1
                : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
        }
    }
    let i = 0;
    let j = 0;
    while (i < x.length || j < y.length) {
        if (i < x.length && j < y.length && x[i] === y[j]) {
            add(parts, 0, x[i++]);
            ++j;
        } else if (j === y.length || (i < x.length && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
            add(parts, -1, x[i++]);
        } else {
            add(parts, 1, y[j++]);
        }
    }
}

const isText = (kind) => kind === "text" || kind === "empty";
const shownInRow = 240; // characters of a value in a row of the table
const ahead = 16; // of them before the first difference

/** Shows one side of a difference. @param side -1: as it was, 1: as it is; @param lines in full, with line breaks */
function appendSide(to, parts, side, lines) {
    let skipped = 0;
    let left = lines ? Infinity : shownInRow;
    for (const [index, [sign, text]] of parts.entries()) {
        if (sign === -side || left <= 0) continue;
        let shown = text;
        if (!lines && index === 0 && sign === 0 && text.length > ahead * 2) {
            skipped = wordStart(text, text, text.length - ahead);
            shown = "…" + text.slice(skipped);
        }
        if (shown.length > left) shown = shown.slice(0, wordStart(shown, shown, left)) + "…";
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
