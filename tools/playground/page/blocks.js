// Block Kit as elements. `context.act(block, element, chosen)` is called when something is used.

import { el, icon, link, ownAddress, safeAddress } from './dom.js';
import { emojify } from './emoji.js';
import { markdown } from './markdown.js';
import { mrkdwn } from './mrkdwn.js';
import { richText } from './rich_text.js';
import { lines } from './chart.js';
import { field } from './fields.js';

/** Render a list of blocks. */
export const blocks = (found, context) => list(found).map((block) => rendered(block, context));

export const list = (value) => (Array.isArray(value) ? value : []);

/** Render a text object: mrkdwn or plain_text. */
export function text(found, context) {
  if (!found || typeof found !== 'object') return [];
  if (found.type === 'mrkdwn') return mrkdwn(found.text ?? '', context.names);
  return emojify(found.text ?? '').split('\n').flatMap((line, index) => (index ? [el('br'), line] : [line]));
}

function rendered(block, context) {
  const draw = Object.hasOwn(DRAWN, block?.type) ? DRAWN[block.type] : unknown;
  return draw(block, context);
}

const unknown = (block) => el('div', { class: 'block block-unknown' }, `A block of type “${String(block?.type)}” is not drawn here.`);

function section(block, context) {
  const body = el('div', { class: 'section-body' });
  if (block.text) body.append(el('div', { class: 'mrkdwn' }, text(block.text, context)));
  if (block.fields) {
    body.append(el('div', { class: 'fields' }, list(block.fields).map((item) => el('div', { class: 'mrkdwn' }, text(item, context)))));
  }
  const accessory = block.accessory ? el('div', { class: 'accessory' }, element(block, block.accessory, context)) : null;
  return el('div', { class: 'block block-section' }, body, accessory);
}

const header = (block, context) => el('h3', { class: 'block block-header' }, text(block.text, context));
const divider = () => el('hr', { class: 'block block-divider' });

function contextLine(block, context) {
  return el('div', { class: 'block block-context' }, list(block.elements).map((item) =>
    item.type === 'image' ? picture(item, 'context-image') : el('span', { class: 'mrkdwn' }, text(item, context))));
}

const actions = (block, context) =>
  el('div', { class: 'block block-actions' }, list(block.elements).map((item) => element(block, item, context)));

function image(block, context) {
  const title = block.title ? el('figcaption', {}, text(block.title, context)) : null;
  return el('figure', { class: 'block block-image' }, title, picture(block, 'image'));
}

function picture(item, style) {
  const own = item.image_url ? ownAddress(item.image_url) : item.slack_file?.id ? `/page/files/${encodeURIComponent(item.slack_file.id)}` : null;
  if (own) return el('img', { class: style, src: own, alt: item.alt_text || '' });
  if (style === 'context-image') return el('span', { class: 'no-image', title: item.alt_text || '' }, '▦');
  return el('div', { class: 'no-image-card' }, 'Picture from elsewhere, not loaded: ', link(item.image_url, item.alt_text || item.image_url || ''));
}

const rich_text = (block, context) => el('div', { class: 'block block-rich-text' }, richText(block, context.names));
const markdownBlock = (block) => el('div', { class: 'block block-markdown' }, markdown(block.text ?? ''));

function table(block, context) {
  const settings = list(block.column_settings);
  const cell = (item, index, tag) => {
    const align = ['center', 'right'].includes(settings[index]?.align) ? settings[index].align : item?.type === 'raw_number' ? 'right' : 'left';
    const content = item?.type === 'rich_text' ? richText(item, context.names) : emojify(item?.text ?? item?.value ?? '');
    const wrapped = settings[index]?.is_wrapped ? ' is-wrapped' : '';
    return el(tag, { class: `align-${align}${wrapped}`, scope: tag === 'th' ? 'col' : null }, content);
  };
  const [head, ...rows] = list(block.rows);
  return el('div', { class: 'block table-wrap', tabindex: '0' }, el('table', {},
    block.caption ? el('caption', {}, String(block.caption)) : null,
    el('thead', {}, el('tr', {}, list(head).map((item, index) => cell(item, index, 'th')))),
    el('tbody', {}, rows.map((row) => el('tr', {}, list(row).map((item, index) => cell(item, index, 'td')))))));
}

function input(block, context) {
  const named = el('span', { class: 'input-label' }, text(block.label, context), block.optional ? el('span', { class: 'optional' }, ' (optional)') : null);
  const hint = block.hint ? el('div', { class: 'hint' }, text(block.hint, context)) : null;
  const problem = el('div', { class: 'field-problem', role: 'alert', 'data-problem-of': block.block_id });
  const control = field(block, block.element ?? {}, context);
  const wrapper = ['radio_buttons', 'checkboxes'].includes(block.element?.type)
    ? el('fieldset', { class: 'input' }, el('legend', {}, named), control)
    : el('label', { class: 'input' }, named, control);
  return el('div', { class: 'block block-input' }, wrapper, problem, hint);
}

const video = (block, context) =>
  el('div', { class: 'block no-image-card' }, text(block.title, context), ' ', link(block.title_url || block.video_url, 'Open the video'));

const remoteFile = (block) => el('div', { class: 'block no-image-card' }, `Remote file ${String(block.external_id)}`);

const TASK_SIGNS = { pending: '○', in_progress: '◔', complete: '✓', error: '✕' };

function task_card(block) {
  const status = Object.hasOwn(TASK_SIGNS, block.status) ? block.status : 'pending';
  const words = (item) => (typeof item === 'string' ? item : item?.elements ? list(item.elements).flatMap((part) => list(part.elements)).map((leaf) => leaf.text ?? '').join('') : '');
  return el('div', { class: `block task task-${status}` },
    el('span', { class: 'task-sign', 'aria-hidden': 'true' }, TASK_SIGNS[status]),
    el('div', {}, el('div', { class: 'task-title' }, emojify(block.title ?? ''), el('span', { class: 'visually-hidden' }, ` (${status})`)),
      block.details ? el('div', { class: 'task-details' }, words(block.details)) : null,
      block.output ? el('div', { class: 'task-details' }, words(block.output)) : null));
}

const plan = (block) => el('div', { class: 'block block-plan' },
  block.title ? el('div', { class: 'plan-title' }, emojify(block.title?.text ?? block.title)) : null, list(block.tasks).map(task_card));

function data_visualization(block) {
  const chart = block.chart ?? {};
  if (chart.type === 'line' || chart.type === 'area') return el('figure', { class: 'block chart' }, el('figcaption', {}, String(block.title ?? '')), lines(list(chart.series)));
  const rows = chart.type === 'pie'
    ? list(chart.segments).map((item) => [item.label, item.value])
    : list(chart.series).flatMap((series) => list(series.data).map((point) => [`${series.name} · ${point.label}`, point.value]));
  const most = Math.max(1, ...rows.map(([, value]) => Math.abs(Number(value)) || 0));
  return el('figure', { class: 'block chart' }, el('figcaption', {}, String(block.title ?? '')),
    rows.map(([label, value]) => {
      const bar = el('span', { class: 'chart-bar' });
      bar.style.setProperty('--share', String((Math.abs(Number(value)) || 0) / most));
      return el('div', { class: 'chart-row' }, el('span', { class: 'chart-label' }, String(label)), bar, el('span', { class: 'chart-value' }, String(value)));
    }));
}

const DRAWN = {
  section, header, divider, context: contextLine, actions, context_actions: actions, image, rich_text, markdown: markdownBlock,
  table, data_table: table, input, video, file: remoteFile, plan, task_card, data_visualization,
};

// -- elements ----------------------------------------------------------------------------------------------------

function element(block, item, context) {
  if (!item || typeof item !== 'object') return null;
  switch (item.type) {
    case 'button':
    case 'workflow_button':
      return button(block, item, context);
    case 'image':
      return picture(item, 'accessory-image');
    case 'overflow':
      return overflow(block, item, context);
    case 'feedback_buttons':
      return el('span', { class: 'button-row' }, ['positive_button', 'negative_button'].map((name) => item[name] && button(block, { ...item[name], type: 'button', action_id: item.action_id }, context)));
    default:
      return field(block, item, { ...context, onChoose: (chosen, control) => use(block, item, chosen, context, control) });
  }
}

function button(block, item, context) {
  const style = ['primary', 'danger'].includes(item.style) ? `button-${item.style}` : '';
  const made = el('button', {
    type: 'button',
    class: `button ${style}`,
    'data-action': item.action_id,
    'aria-label': item.accessibility_label || null,
    onclick: () => {
      if (item.url && safeAddress(item.url)) window.open(safeAddress(item.url), '_blank', 'noopener,noreferrer');
      use(block, item, null, context, made);
    },
  }, text(item.text, context), item.url ? el('span', { 'aria-hidden': 'true' }, ' ↗') : null);
  return made;
}

async function use(block, item, chosen, context, control) {
  if (item.confirm && !(await context.confirm(item.confirm))) return;
  control?.classList.add('busy');
  try {
    await context.act(block, item, chosen);
  } finally {
    control?.classList.remove('busy');
  }
}

function overflow(block, item, context) {
  const menu = el('div', { class: 'menu', role: 'menu', hidden: true }, list(item.options).map((option) =>
    el('button', { type: 'button', role: 'menuitem', onclick: () => { toggle(false); use(block, item, option.value, context, opener); } }, text(option.text, context))));
  const opener = el('button', { type: 'button', class: 'button button-more', 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-label': 'More actions', 'data-action': item.action_id, onclick: () => toggle(menu.hidden) }, icon('more'));
  const toggle = (open) => {
    menu.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    if (open) menu.querySelector('button')?.focus();
  };
  const wrapper = el('span', { class: 'menu-anchor', onkeydown: (event) => { if (event.key === 'Escape' && !menu.hidden) { event.stopPropagation(); toggle(false); opener.focus(); } }, onfocusout: (event) => { if (!wrapper.contains(event.relatedTarget)) toggle(false); } }, opener, menu);
  return wrapper;
}
