// The websocket to the playground: updates in, what the person does out. Reconnects by itself.

const PAUSE = 1000;

/** Connect; `onUpdate` gets each update, `onLost` is called when the connection breaks. */
export function connect(onUpdate, onLost) {
  const waiting = new Map();
  let socket = null;
  let serial = 0;

  const open = () => {
    socket = new WebSocket(`ws://${window.location.host}/page/feed`);
    socket.addEventListener('message', (event) => {
      const update = JSON.parse(event.data);
      if (update.type === 'done') {
        waiting.get(update.token)?.(update);
        waiting.delete(update.token);
      } else {
        onUpdate(update);
      }
    });
    socket.addEventListener('close', () => {
      for (const settle of waiting.values()) settle({ problem: 'The playground is not reachable.' });
      waiting.clear();
      onLost();
      window.setTimeout(open, PAUSE);
    });
  };
  open();

  return {
    /** Ask for something to be done; resolves with the outcome, which has `problem` when it was refused. */
    ask(request) {
      if (socket.readyState !== WebSocket.OPEN) return Promise.resolve({ problem: 'The playground is not reachable.' });
      serial += 1;
      const token = serial;
      socket.send(JSON.stringify({ ...request, token }));
      return new Promise((settle) => waiting.set(token, settle));
    },
  };
}
