// Strokes that the server has not confirmed yet, kept in the browser's own database (IndexedDB).
//
// A record belongs to one document and one tab, so that two tabs never overwrite each other's strokes. A tab that
// opens takes over what tabs that are gone have left; it knows them by their locks, or, where the browser gives
// locks only over HTTPS, by their silence when it asks who is there.

/** @import { Part, Sending } from "./mask_server.js" */
/**
 * What a document has that the server has not confirmed: `sending` is on its way, `next` waits behind it, and `base` is
 * the sequence that they were painted upon.
 * @typedef {object} UnsentRecord
 * @property {string} documentId
 * @property {number} base
 * @property {Sending | null} sending
 * @property {Part | null} next
 */
/** @typedef {(key: string, record: UnsentRecord) => void} Inherit */

const DATABASE = "colpodesk";
const STORE = "strokes";
const TABS = "colpodesk-tabs";
// Painting never waits longer for the database than this: strokes are then kept by the tab alone, and it says so.
const OPEN_WITHIN_MS = 3000;
const ANSWER_WITHIN_MS = 400;

export class UnsentStrokes {
  constructor() {
    const bytes = crypto.getRandomValues(new Uint8Array(8));
    this.tab = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    /** @type {IDBDatabase | null} */
    this.database = null;
    this.isBroken = false;
    this.nTaken = 0;
    /** @type {Set<string>} Tabs whose end is waited for. */
    this.awaited = new Set();
    this.sweepAgain = () => {};
    /** @type {BroadcastChannel | null} */
    this.channel = null;
    const patience = new Promise((resolve) => setTimeout(resolve, OPEN_WITHIN_MS));
    this.isOpen = Promise.race([Promise.all([this.open(), this.live()]), patience]);
  }

  /** @param {string} documentId */
  keyOf(documentId) {
    return `${documentId} ${this.tab}`;
  }

  /** @returns {Promise<void>} */
  open() {
    return new Promise((resolve) => {
      /** @param {unknown} error */
      const fail = (error) => {
        this.failed(error);
        resolve();
      };
      try {
        const request = indexedDB.open(DATABASE, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE);
        request.onsuccess = () => {
          const database = request.result;
          database.onversionchange = () => database.close();
          this.database = database;
          resolve();
        };
        request.onerror = () => fail(request.error);
      } catch (error) {
        fail(error);
      }
    });
  }

  /**
   * Say that this tab lives: a lock that it holds until it goes, and an answer to every tab that asks. So each tab knows
   * all the others, and looks at what one has left as soon as it is gone.
   */
  async live() {
    const channel = new BroadcastChannel(TABS);
    this.channel = channel;
    channel.onmessage = ({ data }) => {
      if (data.asks) channel.postMessage({ lives: this.tab });
      if (data.lives) this.whenGone(data.lives);
    };
    if (navigator.locks) {
      await new Promise((resolve) => {
        navigator.locks.request(lockOf(this.tab), () => {
          resolve(undefined);
          return new Promise(() => {});
        });
      });
    }
    channel.postMessage({ lives: this.tab });
    channel.postMessage({ asks: true });
  }

  /**
   * Keep a record. It is written and committed in this very task: what happens to the tab afterwards cannot take it back.
   * @param {UnsentRecord} record
   * @param {{ replaced?: string | null, isUrgent?: boolean }} [options] `replaced` is the key of a record that this one
   *   takes the place of; what is urgent is on the disk before it counts as written.
   */
  put(record, { replaced = null, isUrgent = false } = {}) {
    this.write(isUrgent ? "strict" : "relaxed", (store) => {
      store.put({ ...record, keptAt: Date.now() }, this.keyOf(record.documentId));
      if (replaced) store.delete(replaced);
    });
  }

  /** @param {string} key */
  drop(key) {
    this.write("relaxed", (store) => store.delete(key));
  }

  /**
   * @param {IDBTransactionDurability} durability
   * @param {(store: IDBObjectStore) => void} change
   */
  write(durability, change) {
    try {
      if (!this.database) throw new Error("the browser's database is not open");
      const writing = this.database.transaction(STORE, "readwrite", { durability });
      writing.oncomplete = () => {
        this.isBroken = false;
      };
      writing.onabort = () => this.failed(writing.error);
      change(writing.objectStore(STORE));
      writing.commit();
    } catch (error) {
      this.failed(error);
    }
  }

  /** @param {unknown} error */
  failed(error) {
    if (!this.isBroken) console.warn("The browser cannot keep strokes that are not saved yet.", error);
    this.isBroken = true;
  }

  /**
   * Take over what tabs that are gone have left of a person's documents, each record by one tab alone.
   * @param {string} personId
   * @param {Inherit} inherit Gets the key under which a record lies now, and the record.
   * @returns {Promise<void>}
   */
  async sweep(personId, inherit) {
    await this.isOpen;
    this.sweepAgain = () => this.sweep(personId, inherit).catch((error) => this.failed(error));
    const { database } = this;
    if (!database) return;
    const left = (await this.keysLeft(database)).filter((key) => key.split(" ")[0].includes(`-p${personId}-`));
    if (!left.length) return;
    const living = await this.livingTabs();
    for (const key of left) {
      const tab = key.split(" ")[1];
      if (living.has(tab)) this.whenGone(tab);
      else await this.take(database, key, inherit);
    }
  }

  /** @param {IDBDatabase} database */
  async keysLeft(database) {
    const keys = await answerOf(database.transaction(STORE).objectStore(STORE).getAllKeys());
    return keys.map(String).filter((key) => key.split(" ")[1] !== this.tab);
  }

  /**
   * @param {IDBDatabase} database
   * @param {string} key
   * @param {Inherit} inherit
   */
  async take(database, key, inherit) {
    const taking = database.transaction(STORE, "readwrite");
    const store = taking.objectStore(STORE);
    /** @type {UnsentRecord | undefined} */
    const record = await answerOf(store.get(key));
    if (!record) return;
    const newKey = `${this.keyOf(record.documentId)} ${++this.nTaken}`;
    store.put(record, newKey);
    store.delete(key);
    await new Promise((resolve, reject) => {
      taking.oncomplete = resolve;
      taking.onabort = () => reject(taking.error);
    });
    inherit(newKey, record);
  }

  /** @returns {Promise<Set<string>>} */
  async livingTabs() {
    if (navigator.locks) {
      const { held = [] } = await navigator.locks.query();
      const names = held.map((lock) => lock.name ?? "").filter((name) => name.startsWith(TABS));
      return new Set(names.map((name) => name.slice(TABS.length + 1)));
    }
    const living = new Set();
    const asking = new BroadcastChannel(TABS);
    asking.onmessage = ({ data }) => data.lives && living.add(data.lives);
    asking.postMessage({ asks: true });
    await new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS));
    asking.close();
    return living;
  }

  /**
   * Sweep again when a tab is gone: its lock is given away that moment. Without locks, the next sweep finds out.
   * @param {string} tab
   */
  async whenGone(tab) {
    if (!navigator.locks || tab === this.tab || this.awaited.has(tab)) return;
    this.awaited.add(tab);
    await navigator.locks.request(lockOf(tab), () => {});
    this.awaited.delete(tab);
    this.sweepAgain();
  }
}

/** @param {string} tab */
function lockOf(tab) {
  return `${TABS} ${tab}`;
}

/**
 * @template Result
 * @param {IDBRequest<Result>} request
 * @returns {Promise<Result>}
 */
function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
