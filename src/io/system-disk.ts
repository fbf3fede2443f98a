/** The real disk behind LabelledDisk: labels are ignored, calls run off the event loop. */
import { constants } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import type { LabelledDisk } from './ports.js';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

export const systemDisk: LabelledDisk = {
  async read(_label, path) {
    try {
      return await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  },

  async create(_label, path) {
    const file = await open(path, CREATE, 0o600);
    return {
      write: (_writeLabel, data) => file.appendFile(data),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },

  rename: (_label, from, to) => rename(from, to),

  async syncDirectory(_label, path) {
    const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};
