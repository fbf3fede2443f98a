#!/usr/bin/env node
/**
 * Wraps comments at 100 characters, which prettier leaves alone: `node .ci/wrap-comments.mjs FILE
 * …`. Touches only paragraphs that have a longer line; tables (two spaces inside) and the rest of
 * the file stay as they are. A long comment behind code moves above it. Prints what it could not
 * help.
 */
import * as fs from 'node:fs';

const WIDTH = 100;
const length = (text) => [...text].length;
const isLong = (line) => length(line) > WIDTH;

/** Splits a comment line into its indent, marker and text, or null for any other line. */
function parse(line) {
  const match = /^(\s*)(\*(?!\/)|\/\/|#)(?: (.*)|)$/.exec(line);
  return match === null ? null : { indent: match[1], marker: match[2], text: match[3] ?? '' };
}

const ITEM = /^(\s*)([-*•]|\d+\.|[a-z]\))\s+/;
const isTable = (text) => /\S {3,}\S/.test(text) || /^\s*[|+]/.test(text);

/** Lines of one paragraph (same marker, no blank between, an item begins a new one). */
function paragraphAt(lines, start) {
  const first = parse(lines[start]);
  let end = start + 1;
  for (; end < lines.length; end += 1) {
    const next = parse(lines[end]);
    if (next === null || next.indent !== first.indent || next.marker !== first.marker) break;
    if (next.text.trim() === '' || ITEM.test(next.text) || next.text.startsWith('@')) break;
  }
  return { first, end };
}

function wrap(words, firstPrefix, restPrefix) {
  const out = [];
  let line = firstPrefix;
  let isEmpty = true;
  for (const word of words) {
    if (!isEmpty && length(line) + 1 + length(word) > WIDTH) {
      out.push(line);
      line = restPrefix;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  out.push(line);
  return out;
}

function wrapParagraph(lines, first) {
  const texts = lines.map((line) => parse(line).text);
  if (texts.some(isTable)) return lines;
  const item = ITEM.exec(texts[0]);
  const lead = item === null ? (/^\s*/.exec(texts[0])?.[0] ?? '') : item[0];
  const hang = ' '.repeat(length(lead));
  const body = [texts[0].slice(lead.length), ...texts.slice(1)].join(' ');
  const base = `${first.indent}${first.marker} `;
  return wrap(body.trim().split(/\s+/), base + lead, base + hang);
}

/**
 * A one-line block comment becomes one of several lines; code with a comment behind it becomes two.
 */
function unfold(line) {
  if (!isLong(line)) return [line];
  const block = /^(\s*)\/\*\* (.*) \*\/$/.exec(line);
  if (block !== null) return [`${block[1]}/**`, `${block[1]} * ${block[2]}`, `${block[1]} */`];
  const opening = /^(\s*)\/\*\* (.*)$/.exec(line);
  if (opening !== null) return [`${opening[1]}/**`, `${opening[1]} * ${opening[2]}`];
  const behind = /^(\s*)([^\s/'"`*][^'"`]*?[;{},)])\s+\/\/ ([^'"`]*)$/.exec(line);
  if (behind !== null) return [`${behind[1]}// ${behind[3]}`, `${behind[1]}${behind[2]}`];
  return [line];
}

function wrapFile(text) {
  const lines = text.split('\n').flatMap(unfold);
  const out = [];
  for (let index = 0; index < lines.length;) {
    const parsed = parse(lines[index]);
    if (parsed === null || parsed.text.trim() === '') {
      out.push(lines[index]);
      index += 1;
      continue;
    }
    const { first, end } = paragraphAt(lines, index);
    const paragraph = lines.slice(index, end);
    out.push(...(paragraph.some(isLong) ? wrapParagraph(paragraph, first) : paragraph));
    index = end;
  }
  return out.join('\n');
}

for (const path of process.argv.slice(2)) {
  const text = fs.readFileSync(path, 'utf8');
  const wrapped = wrapFile(text);
  if (wrapped !== text) fs.writeFileSync(path, wrapped);
  wrapped.split('\n').forEach((line, index) => {
    if (isLong(line) && !/(['"`]).{60,}\1/.test(line)) {
      process.stdout.write(`${path}:${index + 1}: ${line.trim()}\n`);
    }
  });
}
