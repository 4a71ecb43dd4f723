import { openEmbedded } from '#adapters/embedded-postgres';

/**
 * A user of a data folder as a process of its own: `user.ts desk|command DATA_DIR`. Tells over IPC how it goes;
 * leaves when told to, or dies as it is killed.
 */
const [as, dataDir] = process.argv.slice(2) as ['desk' | 'command', string];
const say = (message: object): void => void process.send!(message);
const logger = {
  info: (fields: object, message: string) => say({ logged: message, ...fields }),
  warn: (fields: object, message: string) => say({ logged: message, ...fields }),
  error: (fields: object, message: string) => say({ logged: message, ...fields }),
};

try {
  const embedded = await openEmbedded({ dataDir, as, logger });
  say({ opened: embedded.url, folder: embedded.folder });
  process.on('message', () => {
    void embedded.close().then(
      () => {
        say({ closed: true });
        process.disconnect();
      },
      (error: Error) => say({ failed: error.message }),
    );
  });
} catch (error) {
  const { code, message, name } = error as { code?: string; message: string; name: string };
  say({ refused: name === 'EmbeddedRefused' ? code : name, message });
  process.disconnect();
}
