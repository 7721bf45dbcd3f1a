/* A clock that goes on while its page is in the background: one message for each tick. */

onmessage = ({ data }: MessageEvent<number>) => {
  setInterval(() => {
    postMessage(null);
  }, data);
};
