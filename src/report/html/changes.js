// The rows of the run, and the lines that the table shows of them: one for each value that differs.

const data = JSON.parse(document.getElementById("data").textContent);
const tables = data.tables; // {title, columns: [[name, place before, place after, of the identifier], ...]}
const actions = data.actions;
const rows = data.rows; // [table, action, identifier, new identifier or 0, before or 0, after, 0 or 1 for the same]

const lineRow = [];
const lineColumn = []; // of its table; -1: the row has no value that differs

/** [before, after] of a row in a column; undefined: there is none. */
function sidesOf(row, column) {
    const [, before, after] = tables[row[0]].columns[column];
    const was = row[4] && before >= 0 ? row[4][before] : undefined;
    if (row[5] === 1) return [was, was];
    const is = row[5] && after >= 0 ? row[5][after] : undefined;
    return [was, Array.isArray(is) && is.length === 0 ? was : is];
}

function differs(row, column) {
    const [, before, after, identifier] = tables[row[0]].columns[column];
    if (!row[4]) return after >= 0;
    if (!row[5]) return before >= 0;
    if (before < 0 || after < 0 || row[5] === 1 || (identifier && row[3] === 0)) return false;
    const is = row[5][after];
    return !(Array.isArray(is) && is.length === 0);
}

for (let index = 0; index < rows.length; ++index) {
    const row = rows[index];
    let any = false;
    const wanted = data.changing.includes(row[1]);
    for (let column = 0; wanted && column < tables[row[0]].columns.length; ++column) {
        if (!differs(row, column)) continue;
        lineRow.push(index);
        lineColumn.push(column);
        any = true;
    }
    if (any) continue;
    lineRow.push(index);
    lineColumn.push(-1);
}

const rowOf = (line) => rows[lineRow[line]];
const columnName = (line) => (lineColumn[line] < 0 ? "" : tables[rowOf(line)[0]].columns[lineColumn[line]][0]);
const sidesOfLine = (line) => (lineColumn[line] < 0 ? [undefined, undefined] : sidesOf(rowOf(line), lineColumn[line]));
const identifierText = (row) => (row[3] === 0 ? row[2] : `${row[2]} → ${row[3]}`);

/** Whether a line has the words that are looked for, in any case of letters. */
function hasText(line, wanted) {
    if (wanted.test(identifierText(rowOf(line))) || wanted.test(columnName(line))) return true;
    return sidesOfLine(line).some((value) => value !== undefined && wanted.test(reading(value).text));
}

/** Lines that pass, in the order of the run. @param filter {text, action, column, table}; "" or undefined: any */
function filteredLines(filter) {
    const wanted = filter.text === "" ? null : new RegExp(filter.text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), "iu");
    const found = [];
    for (let line = 0; line < lineRow.length; ++line) {
        const row = rowOf(line);
        if (filter.action !== undefined && row[1] !== filter.action) continue;
        if (filter.table !== undefined && row[0] !== filter.table) continue;
        if (filter.column !== undefined && columnName(line) !== filter.column) continue;
        if (wanted && !hasText(line, wanted)) continue;
        found.push(line);
    }
    return found;
}

const keys = {
    identifier: (line) => sortKey(rowOf(line)[2]),
    table: (line) => tables[rowOf(line)[0]].title,
    action: (line) => actions[rowOf(line)[1]],
    column: columnName,
    before: (line) => sortKey(sidesOfLine(line)[0]),
    after: (line) => sortKey(sidesOfLine(line)[1]),
};

/** @param by a name of keys; @param direction 1 or -1 */
function sortLines(lines, by, direction) {
    const key = new Array(lineRow.length);
    for (const line of lines) key[line] = keys[by](line);
    lines.sort((a, b) => direction * compareKeys(key[a], key[b]) || a - b);
}
