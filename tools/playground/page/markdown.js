// Standard Markdown, for `markdown` blocks: headings, lists, quotes, fences, tables, emphasis, links.

import { el, link } from './dom.js';
import { emoji } from './emoji.js';
import { codeBlock } from './mrkdwn.js';

const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/;
const ROW = /^\s*\|(.+)\|\s*$/;

/** Render Markdown. */
export function markdown(text) {
  const rest = String(text).split('\n');
  const nodes = [];
  while (rest.length) nodes.push(...block(rest));
  return nodes;
}

function block(rest) {
  const line = rest.shift();
  if (line.trim() === '') return [];
  const fence = /^\s*(```+|~~~+)/.exec(line);
  if (fence) return [codeBlock(until(rest, (next) => next.trim().startsWith(fence[1]), true).join('\n'))];
  const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading) return [el('p', { class: 'md-heading', role: 'heading', 'aria-level': heading[1].length + 1 }, inline(heading[2]))];
  if (/^\s*(?:[-*_]\s*){3,}$/.test(line)) return [el('hr')];
  if (line.startsWith('>')) {
    const quoted = [line, ...until(rest, (next) => !next.startsWith('>'))];
    return [el('blockquote', {}, markdown(quoted.map((item) => item.replace(/^> ?/, '')).join('\n')))];
  }
  if (ITEM.test(line)) return [list([line, ...until(rest, (next) => !ITEM.test(next) && !/^\s{2,}\S/.test(next))])];
  if (ROW.test(line) && rest.length && /^\s*\|[\s:|-]+\|\s*$/.test(rest[0])) {
    rest.shift();
    return [table(line, until(rest, (next) => !ROW.test(next)))];
  }
  const paragraph = [line, ...until(rest, (next) => next.trim() === '' || /^(?:#{1,6}\s|>|\s*```)/.test(next) || ITEM.test(next))];
  return [el('p', {}, paragraph.flatMap((item, index) => [...(index ? [el('br')] : []), ...inline(item)]))];
}

function until(rest, stop, eat = false) {
  const taken = [];
  while (rest.length && !stop(rest[0])) taken.push(rest.shift());
  if (eat) rest.shift();
  return taken;
}

function list(items) {
  const first = ITEM.exec(items[0]);
  const made = el(first[2] ? 'ol' : 'ul', first[2] ? { start: first[2] } : {});
  const depth = first[1].length;
  while (items.length) {
    const [, indent, , tick, words] = ITEM.exec(items.shift());
    const nested = until(items, (next) => {
      const match = ITEM.exec(next);
      return match !== null && match[1].length <= Math.max(depth, indent.length);
    });
    const box = tick === undefined ? [] : [tick === ' ' ? '☐ ' : '☑ '];
    const below = nested.filter((next) => ITEM.test(next));
    const more = nested.filter((next) => !ITEM.test(next)).flatMap((next) => [el('br'), ...inline(next.trim())]);
    made.append(el('li', {}, box, inline(words), more, below.length ? list(below) : null));
  }
  return made;
}

const cells = (line) => ROW.exec(line)[1].split('|').map((cell) => cell.trim());

function table(head, rows) {
  return el('div', { class: 'table-wrap' }, el('table', {},
    el('thead', {}, el('tr', {}, cells(head).map((cell) => el('th', {}, inline(cell))))),
    el('tbody', {}, rows.map((row) => el('tr', {}, cells(row).map((cell) => el('td', {}, inline(cell))))))));
}

const INLINE = /(`+)(.+?)\1|\[([^\]]+)\]\(([^()\s]+)\)|<(https?:\/\/[^<>\s]+)>|\*\*(.+?)\*\*|__(.+?)__|~~(.+?)~~|(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?!\w)|(?<!\w)_([^_\s](?:[^_]*[^_\s])?)_(?!\w)|:([a-z0-9_+-]+):|(https?:\/\/[^\s<>()]*[^\s<>().,;:!?])/g;

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) nodes.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const [, , code, label, target, bracketed, bold, strong, strike, italic, emphasis, face, bare] = match;
    if (code !== undefined) nodes.push(el('code', { class: 'code' }, code));
    else if (target !== undefined) nodes.push(link(target, inline(label)));
    else if (bracketed !== undefined) nodes.push(link(bracketed, bracketed));
    else if (bold !== undefined || strong !== undefined) nodes.push(el('strong', {}, inline(bold ?? strong)));
    else if (strike !== undefined) nodes.push(el('s', {}, inline(strike)));
    else if (italic !== undefined || emphasis !== undefined) nodes.push(el('em', {}, inline(italic ?? emphasis)));
    else if (face !== undefined) nodes.push(emoji(face));
    else nodes.push(link(bare, bare));
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}
