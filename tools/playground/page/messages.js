// One message as a row: avatar, name, text or blocks, attachments, files, reactions, thread summary.

import { avatar, bytes, clock, el, fullTime, icon, link } from './dom.js';
import { blocks, list } from './blocks.js';
import { emoji, OFFERED } from './emoji.js';
import { codeBlock, mrkdwn } from './mrkdwn.js';

const GROUPING = 5 * 60;
const PREVIEW_LINES = 12;

/** Whether `message` follows `previous` so closely that name and picture are not repeated. */
export function continues(previous, message) {
  return Boolean(previous) && previous.user === message.user && previous.username === message.username && !previous.subtype?.startsWith('bot_add') && !message.only_for
    && !previous.only_for && Number(message.ts) - Number(previous.ts) < GROUPING && !(message.is_reply && message.broadcast);
}

/** Render a message. `view` gives names, and what to do on clicks, replies and reactions. */
export function row(message, view, { compact = false, inThread = false } = {}) {
  const user = view.userOf(message.user);
  const quiet = ['channel_join', 'bot_add', 'tombstone'].includes(message.subtype);
  const made = el('article', {
    class: ['message', compact && 'compact', message.only_for && 'ephemeral', quiet && 'quiet', message.streaming && 'streaming'].filter(Boolean).join(' '),
    'data-ts': message.ts,
    'aria-label': `${name(user, message)}, ${clock(message.ts)}`,
  });
  if (message.only_for) {
    made.append(el('div', { class: 'ephemeral-note' }, icon('eye'), 'Only visible to you'));
  }
  const face = user ?? { name: message.username ?? '?', color: 'a33a3a' };
  const gutter = compact
    ? el('div', { class: 'gutter' }, el('time', { title: fullTime(message.ts) }, clock(message.ts)))
    : el('div', { class: 'gutter' }, avatar(face));
  const body = el('div', { class: 'message-body' });
  if (!compact) {
    body.append(el('div', { class: 'message-head' },
      el('span', { class: 'name' }, name(user, message)),
      user?.is_bot || message.bot_id ? el('span', { class: 'app-badge' }, 'APP') : null,
      el('time', { title: fullTime(message.ts) }, clock(message.ts))));
  }
  body.append(...content(message, view));
  if (message.reactions) body.append(reactions(message, view));
  if (message.only_for) {
    body.append(el('button', { type: 'button', class: 'link-button', onclick: () => view.dismiss(message) }, 'Dismiss message'));
  }
  if (message.reply_count && !inThread) body.append(threadSummary(message, view));
  made.append(el('div', { class: 'message-row' }, gutter, body));
  if (!message.only_for && message.subtype !== 'tombstone') made.append(toolbar(message, view, inThread));
  return made;
}

const name = (user, message) => message.username || user?.real_name || user?.name || message.user;

function content(message, view) {
  const context = {
    names: view.names,
    confirm: view.confirm,
    act: (block, item, chosen) => view.act(message, block, item, chosen),
  };
  const drawn = list(message.blocks).length
    ? blocks(message.blocks, context)
    : message.text ? [el('div', { class: 'mrkdwn plain-text' }, mrkdwn(message.text, view.names))] : [];
  if (message.edited) {
    const mark = el('span', { class: 'edited', title: `Edited ${fullTime(message.edited.ts)}` }, ' (edited)');
    const last = drawn.at(-1);
    if (last?.matches('.plain-text, .block-rich-text')) (last.lastElementChild?.matches('.rich-section') ? last.lastElementChild : last).append(mark);
    else drawn.push(mark);
  }
  return [...drawn, ...list(message.attachments).map((item) => attachment(item, context)), ...list(message.files).map(file)];
}

function attachment(item, context) {
  const body = el('div', { class: 'attachment-body' });
  const bar = el('span', { class: 'attachment-bar' });
  const colors = { good: '#2eb67d', warning: '#ecb22e', danger: '#e01e5a' };
  const color = colors[item.color] ?? (/^#?[0-9a-fA-F]{6}$/.test(item.color ?? '') ? `#${item.color.replace('#', '')}` : null);
  if (color) bar.style.setProperty('--bar', color);
  const words = (found) => (found ? mrkdwn(found, context.names) : []);
  if (item.author_name) body.append(el('div', { class: 'attachment-author' }, item.author_name));
  if (item.title) body.append(el('div', { class: 'attachment-title' }, item.title_link ? link(item.title_link, words(item.title)) : words(item.title)));
  if (item.text) body.append(el('div', { class: 'mrkdwn' }, words(item.text)));
  if (list(item.fields).length) {
    body.append(el('div', { class: 'fields' }, item.fields.map((found) =>
      el('div', { class: found.short ? '' : 'wide' }, el('div', { class: 'field-title' }, words(found.title)), words(found.value)))));
  }
  if (item.blocks) body.append(...blocks(item.blocks, context));
  if (item.footer) body.append(el('div', { class: 'attachment-footer' }, item.footer));
  const before = item.pretext ? el('div', { class: 'mrkdwn' }, words(item.pretext)) : null;
  return el('div', { class: 'attachment-wrap' }, before, el('div', { class: 'attachment' }, bar, body));
}

function file(found) {
  const address = `/page/files/${encodeURIComponent(found.id)}`;
  const head = el('div', { class: 'file-head' }, icon('file'),
    el('div', {}, el('div', { class: 'file-name' }, found.title || found.name), el('div', { class: 'file-kind' }, `${found.pretty_type} · ${bytes(found.size)}`)),
    el('a', { class: 'file-download', href: address, download: found.name, 'aria-label': `Download ${found.name}` }, icon('download')));
  const made = el('div', { class: 'file' }, head);
  if (found.mimetype?.startsWith('image/')) {
    made.append(el('a', { href: address, target: '_blank', rel: 'noopener' }, el('img', { class: 'file-image', src: address, alt: found.alt_txt || found.title || found.name })));
  } else if (typeof found.preview === 'string') {
    const lines = found.preview.split('\n');
    const shown = codeBlock(lines.slice(0, PREVIEW_LINES).join('\n'));
    made.append(shown);
    if (lines.length > PREVIEW_LINES || found.preview_is_truncated) {
      const more = el('button', { type: 'button', class: 'link-button', onclick: () => { shown.replaceWith(codeBlock(found.preview)); more.remove(); } },
        `Show all ${found.lines} lines`);
      made.append(more);
    }
  }
  return made;
}

function reactions(message, view) {
  return el('div', { class: 'reactions' }, message.reactions.map((reaction) => {
    const mine = reaction.users.includes(view.names.me);
    const who = reaction.users.map((id) => view.names.user(id) || id).join(', ');
    return el('button', {
      type: 'button', class: mine ? 'reaction mine' : 'reaction', 'aria-pressed': String(mine), title: who,
      'aria-label': `${reaction.name}, ${reaction.count}, by ${who}`, onclick: () => view.react(message, reaction.name),
    }, emoji(reaction.name), el('span', {}, String(reaction.count)));
  }));
}

function threadSummary(message, view) {
  const count = message.reply_count;
  return el('button', { type: 'button', class: 'thread-summary', onclick: () => view.openThread(message.ts) },
    message.reply_users.slice(0, 4).map((id) => avatar(view.userOf(id), 'small')),
    el('span', { class: 'thread-count' }, `${count} ${count === 1 ? 'reply' : 'replies'}`),
    el('span', { class: 'thread-last' }, `Last reply ${clock(message.latest_reply)}`));
}

function toolbar(message, view, inThread) {
  const menu = el('div', { class: 'reaction-menu', role: 'menu', hidden: true }, OFFERED.map((face) =>
    el('button', { type: 'button', role: 'menuitem', 'aria-label': face, onclick: () => { menu.hidden = true; view.react(message, face); } }, emoji(face))));
  const add = el('button', { type: 'button', 'aria-label': 'Add a reaction', title: 'Add a reaction', onclick: () => { menu.hidden = !menu.hidden; } }, icon('smile'));
  const reply = inThread ? null : el('button', { type: 'button', 'aria-label': 'Reply in thread', title: 'Reply in thread', onclick: () => view.openThread(message.thread_ts ?? message.ts) }, icon('reply'));
  const uses = view.shortcuts().map((item) => el('button', { type: 'button', class: 'toolbar-words', onclick: () => view.useShortcut(item, message) }, `⚡ ${item.name}`));
  const made = el('div', { class: 'toolbar', onfocusout: (event) => { if (!made.contains(event.relatedTarget)) menu.hidden = true; } }, uses, add, reply, menu);
  return made;
}
