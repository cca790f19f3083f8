// Slack's mrkdwn as elements: *bold* _italic_ ~strike~ `code` ```blocks``` > quotes, <links|labels>, mentions, :emoji:.

import { el, link } from './dom.js';
import { emoji } from './emoji.js';

/** Undo the three escapes. */
export const unescape = (text) => String(text).replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** Render mrkdwn. `names` knows users and channels by id. */
export function mrkdwn(text, names) {
  const parts = String(text).split(/```/);
  const nodes = [];
  parts.forEach((part, index) => {
    const fenced = index % 2 === 1 && index < parts.length - 1;
    if (fenced) nodes.push(codeBlock(unescape(plain(part, names)).replace(/^\n|\n$/g, '')));
    else if (index % 2 === 1) nodes.push(...lines('```' + part, names));
    else if (part !== '') nodes.push(...lines(trimAround(part, index > 0, index < parts.length - 1), names));
  });
  return nodes;
}

export const codeBlock = (text) => el('pre', { class: 'code-block', tabindex: '0' }, el('code', {}, text));

const trimAround = (text, before, after) => {
  let trimmed = before ? text.replace(/^\n/, '') : text;
  trimmed = after ? trimmed.replace(/\n$/, '') : trimmed;
  return trimmed;
};

function lines(text, names) {
  const nodes = [];
  let quote = [];
  const closeQuote = () => {
    if (quote.length) nodes.push(el('blockquote', {}, joined(quote, names)));
    quote = [];
  };
  let run = [];
  const closeRun = () => {
    if (run.length) nodes.push(...joined(run, names));
    run = [];
  };
  for (const line of text.split('\n')) {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      closeRun();
      quote.push(quoted[1]);
    } else {
      closeQuote();
      run.push(line);
    }
  }
  closeRun();
  closeQuote();
  return nodes;
}

const joined = (run, names) => run.flatMap((line, index) => [...(index ? [el('br')] : []), ...inline(line, names)]);

const INLINE = new RegExp(
  [
    '`([^`\\n]+)`',
    '<([^<>\\n]+)>',
    ':([a-z0-9_+-]+):',
    '(?<![\\w*])\\*([^\\s*](?:[^\\n]*?[^\\s*])?)\\*(?![\\w*])',
    '(?<![\\w_])_([^\\s_](?:[^\\n]*?[^\\s_])?)_(?![\\w_])',
    '(?<![\\w~])~([^\\s~](?:[^\\n]*?[^\\s~])?)~(?![\\w~])',
  ].join('|'),
  'g',
);

function inline(text, names) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) nodes.push(unescape(text.slice(end, match.index)));
    end = match.index + match[0].length;
    const [, code, control, face, bold, italic, strike] = match;
    if (code !== undefined) nodes.push(el('code', { class: 'code' }, unescape(plain(code, names))));
    else if (control !== undefined) nodes.push(reference(control, names));
    else if (face !== undefined) nodes.push(emoji(face));
    else if (bold !== undefined) nodes.push(el('strong', {}, inline(bold, names)));
    else if (italic !== undefined) nodes.push(el('em', {}, inline(italic, names)));
    else nodes.push(el('s', {}, inline(strike, names)));
  }
  if (end < text.length) nodes.push(unescape(text.slice(end)));
  return nodes;
}

const plain = (text, names) => text.replace(/<([^<>\n]+)>/g, (whole, inner) => reference(inner, names).textContent);

function reference(inner, names) {
  const [target, label] = split(inner);
  if (target.startsWith('@')) return mention(`@${names.user(target.slice(1)) || label || target.slice(1)}`, target.slice(1) === names.me);
  if (target.startsWith('#')) return mention(`#${names.channel(target.slice(1)) || label || target.slice(1)}`);
  if (target.startsWith('!subteam^')) return mention(label || '@group');
  if (target.startsWith('!date^')) return el('span', {}, label || date(target));
  if (target.startsWith('!')) return mention(`@${label || target.slice(1)}`, true);
  if (!/^[a-z][a-z0-9+.-]*:/i.test(target)) return el('span', {}, `<${unescape(inner)}>`);
  return link(unescape(target), unescape(label || target.replace(/^mailto:/, '')));
}

function split(inner) {
  const at = inner.indexOf('|');
  return at < 0 ? [inner, ''] : [inner.slice(0, at), inner.slice(at + 1)];
}

/** A mention of a person, channel or group. */
export const mention = (text, toMe = false) => el('span', { class: toMe ? 'mention mention-me' : 'mention' }, text);

function date(target) {
  const seconds = Number(target.split('^')[1]);
  return Number.isFinite(seconds) ? new Date(seconds * 1000).toLocaleString() : target;
}
