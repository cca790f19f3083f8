// Building the page safely: text is only ever set as text, links only ever lead to the web.

const SVG = 'http://www.w3.org/2000/svg';

/** Make an element. `on*` properties become listeners; `class`, `aria-*`, `data-*` and the rest become attributes. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else made.setAttribute(name, String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A link that a hostile message may have written: web and mail addresses only, opened apart from this page. */
export function link(address, children, properties = {}) {
  const safe = safeAddress(address);
  if (safe === null) return el('span', {}, children);
  return el('a', { href: safe, target: '_blank', rel: 'noopener noreferrer', ...properties }, children);
}

/** Return the address if it may be followed, else null. */
export function safeAddress(address) {
  try {
    const parsed = new URL(String(address));
    return ['http:', 'https:', 'mailto:', 'tel:'].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/** Return the address of a picture if this server has it, else null: the page loads nothing from elsewhere. */
export function ownAddress(address) {
  try {
    const parsed = new URL(String(address), window.location.href);
    return parsed.origin === window.location.origin ? parsed.pathname : null;
  } catch {
    return null;
  }
}

const SHAPES = {
  hash: 'M7.5 3 6 17M14 3l-1.5 14M3.5 7h13.5M3 13h13.5',
  reply: 'M4 4h12v9H9l-4 3.5V13H4z',
  smile: 'M10 3a7 7 0 1 0 .01 0M7.5 8v.6M12.5 8v.6M6.8 11.8c1.6 2.4 4.8 2.4 6.4 0',
  send: 'M3.5 4 17 10 3.5 16 5.5 10zM5.5 10H17',
  close: 'M5 5l10 10M15 5 5 15',
  eye: 'M2.5 10c3.5-6 11.5-6 15 0-3.5 6-11.5 6-15 0M10 8a2 2 0 1 0 .01 0',
  more: 'M4.5 10h.1M10 10h.1M15.5 10h.1',
  file: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5',
  download: 'M10 3v10M6 9.5 10 13.5 14 9.5M4 17h12',
};

/** A line drawing out of the list above. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', SHAPES[name]);
  svg.append(path);
  return svg;
}

/** The picture of a person or app: initials on a colour, or a hexagon. */
export function avatar(user, size = '') {
  const made = el('span', { class: `avatar ${size}`, 'aria-hidden': 'true' });
  if (user && user.is_bot) {
    made.classList.add('avatar-app');
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 32 32');
    for (const [shape, name] of [['M16 5l9.5 5.5v11L16 27l-9.5-5.5v-11z', 'outer'], ['M16 11l4.3 2.5v5L16 21l-4.3-2.5v-5z', 'inner']]) {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('d', shape);
      path.setAttribute('class', name);
      svg.append(path);
    }
    made.append(svg);
  } else {
    const name = user ? user.real_name || user.name : '?';
    made.textContent = name.split(/\s+/).map((word) => word[0] || '').join('').slice(0, 2).toUpperCase();
    if (user && /^[0-9a-f]{6}$/.test(user.color)) made.style.setProperty('--avatar', `#${user.color}`);
  }
  return made;
}

const CLOCK = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', hour12: false });
const FULL = new Intl.DateTimeFormat([], { dateStyle: 'full', timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat([], { weekday: 'long', day: 'numeric', month: 'long' });

/** When a message was written. */
export const moment = (ts) => new Date(Number.parseFloat(ts) * 1000);
export const clock = (ts) => CLOCK.format(moment(ts));
export const fullTime = (ts) => FULL.format(moment(ts));

/** The heading over a day. */
export function day(ts) {
  const asked = moment(ts).toDateString();
  const now = new Date();
  if (asked === now.toDateString()) return 'Today';
  if (asked === new Date(now.getTime() - 86400000).toDateString()) return 'Yesterday';
  return DAY.format(moment(ts));
}

/** A file size for people. */
export function bytes(size) {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} kB`;
  return `${(size / 1024 / 1024).toFixed(1)} MB`;
}
