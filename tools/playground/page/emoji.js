// The shortcodes that matter in operations, as characters. Unknown ones stay as typed.

const NAMES = {
  '+1': '👍', thumbsup: '👍', '-1': '👎', thumbsdown: '👎', alarm_clock: '⏰', ambulance: '🚑', arrow_down: '⬇️',
  arrow_forward: '▶️', arrow_left: '⬅️', arrow_right: '➡️', arrow_up: '⬆️', arrows_counterclockwise: '🔄', ballot_box_with_check: '☑️',
  bangbang: '‼️', bar_chart: '📊', bee: '🐝', bell: '🔔', beetle: '🐞', black_circle: '⚫', black_large_square: '⬛', blue_book: '📘',
  blue_circle: '🔵', large_blue_circle: '🔵', bookmark: '🔖', boom: '💥', brick: '🧱', broken_heart: '💔', bug: '🐛', bulb: '💡', calendar: '📅',
  chart_with_downwards_trend: '📉', chart_with_upwards_trend: '📈', checkered_flag: '🏁', clap: '👏', clipboard: '📋', clock1: '🕐',
  closed_lock_with_key: '🔐', cloud: '☁️', compass: '🧭', construction: '🚧', crossed_fingers: '🤞', cyclone: '🌀', dart: '🎯', dizzy: '💫', dna: '🧬',
  door: '🚪', electric_plug: '🔌', exclamation: '❗', heavy_exclamation_mark: '❗', eyes: '👀', fast_forward: '⏩', file_folder: '📁', fire: '🔥',
  fire_engine: '🚒', floppy_disk: '💾', gear: '⚙️', ghost: '👻', globe_with_meridians: '🌐', green_book: '📗', green_circle: '🟢', large_green_circle: '🟢',
  green_heart: '💚', grey_question: '❔', hammer_and_wrench: '🛠️', hatching_chick: '🐣', heart: '❤️', heavy_check_mark: '✔️', heavy_minus_sign: '➖',
  heavy_multiplication_x: '✖️', hourglass: '⌛', hourglass_flowing_sand: '⏳', house: '🏠', inbox_tray: '📥', information_source: 'ℹ️', joy: '😂',
  key: '🔑', label: '🏷️', large_blue_square: '🟦', large_green_square: '🟩', large_orange_circle: '🟠', orange_circle: '🟠', large_orange_square: '🟧',
  large_red_square: '🟥', large_yellow_circle: '🟡', yellow_circle: '🟡', large_yellow_square: '🟨', link: '🔗', lock: '🔒', mag: '🔍', mag_right: '🔎',
  mailbox: '📫', megaphone: '📣', memo: '📝', pencil: '📝', microscope: '🔬', mute: '🔇', no_bell: '🔕', no_entry: '⛔', no_entry_sign: '🚫', no_good: '🙅',
  o: '⭕', octagonal_sign: '🛑', ok: '🆗', ok_hand: '👌', open_file_folder: '📂', outbox_tray: '📤', package: '📦', page_facing_up: '📄', paperclip: '📎',
  pause_button: '⏸️', double_vertical_bar: '⏸️', point_down: '👇', point_right: '👉', pray: '🙏', pushpin: '📌', question: '❓', radio_button: '🔘', raised_hand: '✋',
  raised_hands: '🙌', red_circle: '🔴', repeat: '🔁', robot_face: '🤖', rocket: '🚀', rotating_light: '🚨', satellite_antenna: '📡', scroll: '📜',
  seedling: '🌱', shield: '🛡️', skull: '💀', slightly_smiling_face: '🙂', smile: '😄', snail: '🐌', snowflake: '❄️', sos: '🆘', sparkles: '✨', speech_balloon: '💬',
  star: '⭐', stopwatch: '⏱️', tada: '🎉', telephone_receiver: '📞', test_tube: '🧪', thinking_face: '🤔', thread: '🧵', toolbox: '🧰',
  triangular_flag_on_post: '🚩', unlock: '🔓', vertical_traffic_light: '🚦', traffic_light: '🚥', warning: '⚠️', wave: '👋', wastebasket: '🗑️', white_check_mark: '✅', white_circle: '⚪',
  white_large_square: '⬜', wrench: '🔧', x: '❌', negative_squared_cross_mark: '❎', zap: '⚡', zzz: '💤',
};

/** The character of a shortcode without colons, or the shortcode itself. */
export const emoji = (name) => (Object.hasOwn(NAMES, name) ? NAMES[name] : `:${name}:`);

/** Replace shortcodes in plain text. */
export const emojify = (text) => String(text).replace(/:([a-z0-9_+-]+):/g, (whole, name) => emoji(name));

/** What the reaction menu offers. */
export const OFFERED = ['eyes', 'white_check_mark', '+1', 'raised_hands', 'tada', 'thinking_face', 'fire', 'x'];
