// `rich_text` blocks: sections, lists, quotes and preformatted text.

import { el, link } from './dom.js';
import { emoji } from './emoji.js';
import { codeBlock, mention } from './mrkdwn.js';

/** Render the parts of a rich_text block. */
export const richText = (block, names) => list(block.elements).map((part) => piece(part, names));

const list = (value) => (Array.isArray(value) ? value : []);

function piece(part, names) {
  const inner = () => list(part.elements).map((leaf) => leaves(leaf, names));
  switch (part.type) {
    case 'rich_text_section':
      return el('div', { class: 'rich-section' }, inner());
    case 'rich_text_preformatted':
      return codeBlock(list(part.elements).map((leaf) => leaf.text ?? leaf.url ?? '').join(''));
    case 'rich_text_quote':
      return el('blockquote', {}, inner());
    case 'rich_text_list': {
      const items = list(part.elements).map((item) => el('li', {}, piece(item, names)));
      const made = el(part.style === 'ordered' ? 'ol' : 'ul', { class: `rich-list indent-${Math.min(8, Number(part.indent) || 0)}` }, items);
      if (part.offset) made.setAttribute('start', String(Number(part.offset) + 1));
      return made;
    }
    default:
      return el('span', {}, String(part.text ?? ''));
  }
}

function leaves(leaf, names) {
  switch (leaf.type) {
    case 'text':
      return styled(withBreaks(leaf.text), leaf.style);
    case 'link':
      return styled([link(leaf.url, String(leaf.text || String(leaf.url).replace(/^mailto:/, '')))], leaf.style);
    case 'emoji':
      return emoji(String(leaf.name));
    case 'user':
      return mention(`@${names.user(leaf.user_id) || leaf.user_id}`, leaf.user_id === names.me);
    case 'channel':
      return mention(`#${names.channel(leaf.channel_id) || leaf.channel_id}`);
    case 'usergroup':
      return mention(`@${leaf.usergroup_id}`);
    case 'broadcast':
      return mention(`@${leaf.range}`, true);
    case 'date':
      return el('span', {}, String(leaf.fallback || new Date(Number(leaf.timestamp) * 1000).toLocaleString()));
    case 'color':
      return el('code', { class: 'code' }, String(leaf.value));
    default:
      return String(leaf.text ?? '');
  }
}

const withBreaks = (text) => String(text).split('\n').flatMap((line, index) => (index ? [el('br'), line] : [line]));

function styled(nodes, style = {}) {
  let made = nodes;
  if (style.code) made = [el('code', { class: 'code' }, made)];
  if (style.strike) made = [el('s', {}, made)];
  if (style.italic) made = [el('em', {}, made)];
  if (style.bold) made = [el('strong', {}, made)];
  return made;
}
