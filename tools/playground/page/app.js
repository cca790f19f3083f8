// The page: keeps the state the server sends, draws it, and passes on what the person does.

import { blocks } from './blocks.js';
import { composer } from './composer.js';
import { avatar, clock, day, el, icon } from './dom.js';
import { connect } from './feed.js';
import { continues, row } from './messages.js';
import { confirmation, showModal } from './modal.js';
import { panelOf } from './panel.js';

const at = (id) => document.getElementById(id);
const NEAR = 120;

const state = {
  me: '', users: new Map(), channels: [], messages: new Map(), commands: [], shortcuts: [], examples: [], people: [], views: [], home: null,
  statuses: new Map(), panel: null, connection: {}, deliveries: [], channel: null, thread: null, side: null, tab: 'messages', unread: new Map(), ready: false,
};

const names = {
  get me() { return state.me; },
  user: (id) => { const user = state.users.get(id); return user ? (user.is_bot ? user.name : user.real_name) : null; },
  channel: (id) => state.channels.find((item) => item.id === id)?.label ?? null,
  choices(kind) {
    if (kind.endsWith('users_select')) return state.people.map((id) => [id, names.user(id)]);
    if (kind.endsWith('channels_select') || kind.endsWith('conversations_select')) return state.channels.filter((item) => item.kind !== 'im').map((item) => [item.id, `#${item.label}`]);
    return [];
  },
};

// -- doing -------------------------------------------------------------------------------------------------------

const feed = connect(update, () => { at('connection').textContent = 'Playground not reachable, trying again…'; at('connection').className = 'pill off'; });

async function ask(request) {
  const outcome = await feed.ask(request);
  if (outcome.problem) complain(outcome.problem);
  return outcome;
}

let complaint = 0;
function complain(words) {
  at('problem').textContent = words;
  at('problem').hidden = false;
  window.clearTimeout(complaint);
  complaint = window.setTimeout(() => { at('problem').hidden = true; }, 6000);
}

const view = {
  names,
  userOf: (id) => state.users.get(id),
  confirm: (found) => confirmation(found, names),
  act: (message, block, item, chosen) => ask({ do: 'act', channel: message.channel, ts: message.ts, action_id: item.action_id, block_id: block.block_id, chosen }),
  react: (message, name) => ask({ do: 'react', channel: message.channel, ts: message.ts, name }),
  dismiss: (message) => ask({ do: 'dismiss', channel: message.channel, ts: message.ts }),
  openThread: (ts) => { state.thread = ts; state.side = 'thread'; drawSide(); remember(); at('thread-input')?.focus(); },
  actInView: (found, item, chosen) => ask({ do: 'act_in_view', view: found.id, action_id: item.action_id, chosen }),
  suggest: async (found, item, typed) => (await ask({ do: 'suggest', view: found.id, action_id: item.action_id, typed })).options ?? [],
  shortcuts: () => state.shortcuts.filter((item) => item.on_messages),
  useShortcut: (shortcut, message) => ask({ do: 'shortcut', callback_id: shortcut.callback_id, channel: message?.channel, ts: message?.ts }),
  closeView: (found, everything) => ask({ do: 'close_view', view: found.id, everything }),
  async submitView(found, values) { return (await ask({ do: 'submit', view: found.id, values })).errors ?? null; },
};

// -- updates -----------------------------------------------------------------------------------------------------

function update(news) {
  switch (news.type) {
    case 'state': return begin(news);
    case 'posted': return posted(news.message);
    case 'changed': return changed(news.message);
    case 'removed': return removed(news.message);
    case 'views': state.views = news.views; state.home = news.home; drawModal(); if (state.tab === 'home') drawChannel(); return undefined;
    case 'status': state.statuses.set(`${news.channel}/${news.thread_ts}`, news.status); drawStatus(); return undefined;
    case 'panel': state.panel = news.panel; if (state.side === 'panel') drawSide(); return undefined;
    case 'connection': state.connection = news.connection; return drawConnection();
    case 'delivery': state.deliveries = [...state.deliveries, news.delivery].slice(-50); if (state.side === 'deliveries') drawSide(); return undefined;
    default: return undefined;
  }
}

function begin(news) {
  Object.assign(state, { me: news.me, people: news.people, channels: news.channels, commands: news.commands, shortcuts: news.shortcuts, examples: news.examples, views: news.views, home: news.home, panel: news.panel, connection: news.connection, deliveries: news.deliveries });
  state.users = new Map(news.users.map((user) => [user.id, user]));
  state.statuses = new Map(news.statuses.map((item) => [`${item.channel}/${item.thread_ts}`, item.status]));
  state.messages = new Map(news.channels.map((channel) => [channel.id, new Map()]));
  for (const message of news.messages) state.messages.get(message.channel)?.set(message.ts, message);
  const asked = state.ready ? null : window.location.hash.slice(1).split('/');
  if (!state.channels.some((item) => item.id === state.channel)) {
    const before = state.channels.find((item) => item.kind === 'im');
    state.channel = state.channel?.startsWith('D') ? before?.id : state.channels.find((item) => item.id === asked?.[0])?.id ?? state.channels[0].id;
  }
  if (asked?.[2]) Object.assign(state, { thread: asked[2], side: 'thread' });
  if (state.side === 'thread' && !state.messages.get(state.channel)?.has(state.thread)) state.side = null;
  const first = !state.ready;
  state.ready = true;
  drawWho();
  drawConnection();
  drawAll();
  if (first) composers.main.focus();
}

function posted(message) {
  state.messages.get(message.channel)?.set(message.ts, message);
  if (message.thread_ts) state.statuses.delete(`${message.channel}/${message.thread_ts}`);
  const here = message.channel === state.channel && state.tab === 'messages';
  const inMain = !message.is_reply || message.broadcast || message.only_for;
  if (!here && message.user !== state.me) {
    state.unread.set(message.channel, (state.unread.get(message.channel) ?? 0) + 1);
    drawSidebar();
  }
  if (message.channel !== state.channel) return;
  if (here && (!message.is_reply || message.broadcast)) append(at('messages'), message);
  if (message.is_reply && state.side === 'thread' && message.thread_ts === state.thread) append(at('thread-messages'), message, true);
  else if (message.is_reply && inMain && message.only_for && here && state.thread !== message.thread_ts) append(at('messages'), message);
}

function changed(message) {
  state.messages.get(message.channel)?.set(message.ts, message);
  if (message.channel !== state.channel) return;
  for (const place of [at('messages'), at('thread-messages')]) {
    const old = place && rowOf(place, message.ts);
    if (!old) continue;
    keeping(place, () => {
      const focused = old.contains(document.activeElement) ? document.activeElement.dataset.action : null;
      const fresh = row(message, view, { compact: old.classList.contains('compact'), inThread: place.id === 'thread-messages' });
      old.replaceWith(fresh);
      if (focused) [...fresh.querySelectorAll('[data-action]')].find((item) => item.dataset.action === focused)?.focus();
    });
  }
}

function removed(message) {
  state.messages.get(message.channel)?.delete(message.ts);
  if (message.channel !== state.channel) return;
  drawMessages();
  if (state.side === 'thread') drawSide();
}

const rowOf = (place, ts) => [...place.querySelectorAll('article')].find((item) => item.dataset.ts === ts);

function keeping(place, work) {
  const low = place.scrollHeight - place.scrollTop - place.clientHeight < NEAR;
  work();
  if (low) place.scrollTop = place.scrollHeight;
  else if (place.id === 'messages') at('newer').hidden = false;
}

function append(place, message, inThread = false) {
  place.querySelector('.beginning')?.remove();
  keeping(place, () => {
    const rows = [...place.querySelectorAll('article')];
    const previous = rows.length ? state.messages.get(state.channel).get(rows.at(-1).dataset.ts) : null;
    const newDay = !inThread && (!previous || day(previous.ts) !== day(message.ts));
    if (newDay) place.append(dayLine(message.ts));
    place.append(row(message, view, { compact: !newDay && continues(previous, message) && !(inThread && rows.length === 1), inThread }));
  });
  if (message.user === state.me) place.scrollTop = place.scrollHeight;
  drawStatus();
}

// -- drawing -----------------------------------------------------------------------------------------------------

const dayLine = (ts) => el('div', { class: 'day', role: 'separator' }, el('span', {}, day(ts)));

function drawAll() {
  drawSidebar();
  drawChannel();
  drawSide();
  drawModal();
}

function drawConnection() {
  const { connected, sockets, request_url: url } = state.connection;
  const pill = at('connection');
  pill.className = connected ? 'pill on' : 'pill off';
  pill.textContent = url ? `App at ${url}` : connected ? `App connected (${sockets} socket${sockets === 1 ? '' : 's'})` : 'App not connected';
}

function drawWho() {
  at('who').replaceChildren(...state.people.map((id) => {
    const user = state.users.get(id);
    return el('option', { value: id, selected: id === state.me }, `${user.real_name} · ${user.profile.title}`);
  }));
}

function drawSidebar() {
  const entry = (channel) => {
    const unread = state.unread.get(channel.id) ?? 0;
    return el('li', {}, el('button', {
      type: 'button', class: ['entry', channel.id === state.channel && 'current', unread && 'unread'].filter(Boolean).join(' '),
      'aria-current': channel.id === state.channel ? 'page' : null, onclick: () => go(channel.id),
    }, channel.kind === 'im' ? avatar(state.users.get('U0CILIUM01'), 'small') : icon('hash'), el('span', { class: 'entry-name' }, channel.label),
      unread ? el('span', { class: 'badge', 'aria-label': `${unread} unread` }, String(unread)) : null));
  };
  at('sidebar').replaceChildren(
    el('h2', {}, 'Channels'), el('ul', {}, state.channels.filter((item) => item.kind !== 'im').map(entry)),
    el('h2', {}, 'Apps'), el('ul', {}, state.channels.filter((item) => item.kind === 'im').map(entry)));
}

function go(channel) {
  Object.assign(state, { channel, tab: 'messages', side: ['deliveries', 'panel'].includes(state.side) ? state.side : null, thread: null });
  state.unread.delete(channel);
  drawAll();
  remember();
  composers.main.focus();
}

const remember = () => window.history.replaceState(null, '', `#${state.channel}${state.side === 'thread' ? `/p/${state.thread}` : ''}`);
const current = () => state.channels.find((item) => item.id === state.channel);

function drawChannel() {
  const channel = current();
  const direct = channel.kind === 'im';
  document.title = `${direct ? '' : '#'}${channel.label} · Playground`;
  const tab = (name, label) => el('button', { type: 'button', role: 'tab', 'aria-selected': String(state.tab === name), class: state.tab === name ? 'tab current' : 'tab', onclick: () => { state.tab = name; ask({ do: 'home', tab: name }); drawChannel(); } }, label);
  at('channel-header').replaceChildren(
    el('div', { class: 'channel-line' },
      el('h1', {}, direct ? avatar(state.users.get('U0CILIUM01'), 'small') : el('span', { class: 'hash', 'aria-hidden': 'true' }, '#'), channel.label),
      el('span', { class: 'topic' }, direct ? '' : channel.topic?.value ?? ''),
      direct ? null : el('span', { class: 'members' }, `${channel.count} members`)),
    direct ? el('div', { class: 'tabs', role: 'tablist' }, tab('home', 'Home'), tab('messages', 'Messages')) : '');
  at('composer').hidden = state.tab === 'home' && direct;
  if (!at('composer').hidden) composers.open('main', at('composer'), direct ? `Message ${channel.label}` : `Message #${channel.label}`, (text) => type(text, null));
  if (state.tab === 'home' && direct) drawHome();
  else drawMessages();
}

function drawHome() {
  const context = { names, confirm: view.confirm, act: (block, item, chosen) => view.actInView(state.home, item, chosen) };
  const empty = el('div', { class: 'beginning' }, el('h2', {}, 'Nothing here yet'), el('p', {}, 'The app has not published a Home tab for you.'));
  at('messages').replaceChildren(state.home ? el('div', { class: 'home' }, blocks(state.home.blocks, context)) : empty);
}

function drawMessages() {
  const place = at('messages');
  const shown = [...(state.messages.get(state.channel)?.values() ?? [])].filter((item) => !item.is_reply || item.broadcast);
  const rows = [];
  let previous = null;
  for (const message of shown) {
    const newDay = !previous || day(previous.ts) !== day(message.ts);
    if (newDay) rows.push(dayLine(message.ts));
    rows.push(row(message, view, { compact: !newDay && continues(previous, message) }));
    previous = message;
  }
  place.replaceChildren(...(rows.length ? rows : [beginning()]));
  place.scrollTop = place.scrollHeight;
  at('newer').hidden = true;
  drawStatus();
}

function beginning() {
  const channel = current();
  const suggestions = channel.label === 'random' ? ['/invite @cilium'] : channel.kind === 'im' ? state.examples.map((item) => item.replace(/^@\w+ /, '')) : state.examples;
  return el('div', { class: 'beginning' },
    el('h2', {}, channel.kind === 'im' ? 'This is your conversation with the app' : `Welcome to #${channel.label}`),
    el('p', {}, 'Ask why one workload cannot reach another. Run the command, mention the app, or use plain words; answers come in a thread you can go on in.'),
    el('p', { class: 'try' }, 'Try one of these, then press Enter:'),
    el('div', { class: 'suggestions' }, suggestions.map((text) => el('button', { type: 'button', class: 'suggestion', onclick: () => composers.main.fill(text) }, text))));
}

async function type(text, thread) {
  const place = at(thread ? 'thread-messages' : 'messages');
  if (place) place.scrollTop = place.scrollHeight;
  await ask({ do: 'type', channel: state.channel, text, thread_ts: thread });
}

function drawStatus() {
  for (const [place, thread] of [[at('thread-messages'), state.thread]]) {
    place?.querySelector('.status')?.remove();
    const status = place && state.statuses.get(`${state.channel}/${thread}`);
    if (status) place.append(el('div', { class: 'status' }, `cilium ${status}`));
  }
}

function drawSide() {
  const side = at('side');
  side.hidden = state.side === null;
  at('app').classList.toggle('with-side', state.side !== null);
  at('show-deliveries').setAttribute('aria-expanded', String(state.side === 'deliveries'));
  at('show-panel').setAttribute('aria-expanded', String(state.side === 'panel'));
  if (state.side === 'thread') drawThread(side);
  else if (state.side === 'deliveries') drawDeliveries(side);
  else if (state.side === 'panel') drawPanel(side);
  else side.replaceChildren();
}

const sideHead = (title, below) => el('header', { class: 'side-head' }, el('div', {}, el('h2', {}, title), el('span', { class: 'topic' }, below)),
  el('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', onclick: closeSide }, icon('close')));

function closeSide() {
  state.side = null;
  state.thread = null;
  drawSide();
  remember();
  composers.main.focus();
}

function drawThread(side) {
  const channel = current();
  const all = [...state.messages.get(state.channel).values()];
  const found = all.filter((item) => item.ts === state.thread || (item.is_reply && item.thread_ts === state.thread));
  const place = el('div', { id: 'thread-messages', class: 'messages', role: 'log', 'aria-live': 'polite', 'aria-label': 'Thread', tabindex: '0' });
  let previous = null;
  found.forEach((message, index) => {
    place.append(row(message, view, { compact: index > 1 && continues(previous, message), inThread: true }));
    if (index === 0 && found.length > 1) place.append(el('div', { class: 'replies-line' }, el('span', {}, `${found.length - 1} ${found.length === 2 ? 'reply' : 'replies'}`)));
    previous = message;
  });
  const box = el('div', { class: 'composer' });
  side.setAttribute('aria-label', 'Thread');
  side.replaceChildren(sideHead('Thread', channel.kind === 'im' ? channel.label : `#${channel.label}`), place, box);
  const thread = state.thread;
  composers.open('thread', box, 'Reply…', (text) => type(text, thread));
  place.scrollTop = place.scrollHeight;
  drawStatus();
}

function drawDeliveries(side) {
  side.setAttribute('aria-label', 'Deliveries');
  const lines = [...state.deliveries].reverse().map((item) => el('li', { class: item.acknowledged ? '' : 'failed' },
    el('span', { class: 'delivery-time' }, clock(item.at)), el('span', { class: 'delivery-what' }, item.what, item.attempt ? el('em', {}, ` retry ${item.attempt}`) : null),
    el('span', { class: 'delivery-ack' }, item.acknowledged ? `ack ${item.milliseconds} ms` : item.reason)));
  side.replaceChildren(sideHead('Deliveries', 'What was sent to the app, newest first'), lines.length ? el('ol', { class: 'deliveries' }, lines) : el('p', { class: 'side-empty' }, 'Nothing was delivered yet.'));
}

function drawPanel(side) {
  side.setAttribute('aria-label', 'Alerts and clock');
  side.replaceChildren(sideHead('Alerts & clock', 'What happens around the app'), el('div', { class: 'panel' }, panelOf(state.panel, state.channel, ask)));
}

function drawModal() {
  const top = state.views.at(-1) ?? null;
  showModal(at('modal'), top, view);
}

const composers = {
  main: null,
  open(kind, place, label, send) {
    if (kind === 'main' && composers.main && place.dataset.label === label) return;
    place.dataset.label = label;
    const made = composer({ id: kind === 'main' ? 'composer-input' : 'thread-input', label, commands: () => state.commands, shortcuts: () => state.shortcuts.filter((item) => !item.on_messages), use: (shortcut) => view.useShortcut(shortcut, null), people: () => [...state.users.values()].filter((user) => user.id !== 'USLACKBOT'), send });
    place.replaceChildren(made.element);
    composers[kind] = made;
  },
};

// -- the frame ---------------------------------------------------------------------------------------------------

at('who').addEventListener('change', (event) => { state.unread.clear(); ask({ do: 'become', user: event.target.value }); });
at('newer').addEventListener('click', () => { at('messages').scrollTop = at('messages').scrollHeight; at('newer').hidden = true; });
at('messages').addEventListener('scroll', (event) => { if (event.target.scrollHeight - event.target.scrollTop - event.target.clientHeight < NEAR) at('newer').hidden = true; });
at('show-deliveries').addEventListener('click', () => { if (state.side === 'deliveries') closeSide(); else { state.side = 'deliveries'; drawSide(); } });
at('show-panel').addEventListener('click', () => { if (state.side === 'panel') closeSide(); else { state.side = 'panel'; drawSide(); } });
document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !at('modal').open && state.side) closeSide(); });

const THEME = 'playground-theme';
const themed = window.localStorage.getItem(THEME);
if (themed === 'dark' || themed === 'light') document.documentElement.dataset.theme = themed;
at('theme').addEventListener('click', () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === 'dark' : window.matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  window.localStorage.setItem(THEME, document.documentElement.dataset.theme);
});
