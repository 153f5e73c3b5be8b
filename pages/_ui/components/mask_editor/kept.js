// Strokes that the server has not confirmed yet, kept in the browser's own database (IndexedDB).
//
// A record belongs to one document and one tab, so that two tabs never overwrite each other's strokes. A tab that
// opens takes over what tabs that are gone have left; it knows them by their locks, or, where the browser gives
// locks only over HTTPS, by their silence when it calls the roll.

const DATABASE = "colpodesk";
const STORE = "strokes";
const ROLL = "colpodesk-tabs";
// Painting never waits longer for the database than this: strokes are then kept by the tab alone, and it says so.
const OPEN_WITHIN_MS = 3000;
const ANSWER_ROLL_WITHIN_MS = 400;

class Kept {
  constructor() {
    this.tab = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.database = null;
    this.isBroken = false;
    this.nTaken = 0;
    this.awaited = new Set();
    this.sweepAgain = () => {};
    const patience = new Promise((done) => setTimeout(done, OPEN_WITHIN_MS));
    this.isOpen = Promise.race([Promise.all([this.open(), this.live()]), patience]);
  }

  keyOf(documentId) {
    return `${documentId} ${this.tab}`;
  }

  open() {
    return new Promise((done) => {
      const fail = (error) => {
        this.failed(error);
        done();
      };
      try {
        const request = indexedDB.open(DATABASE, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE);
        request.onsuccess = () => {
          this.database = request.result;
          this.database.onversionchange = () => this.database.close();
          done();
        };
        request.onerror = () => fail(request.error);
      } catch (error) {
        fail(error);
      }
    });
  }

  // Say that this tab lives: a lock that it holds until it goes, and an answer whenever the roll is called. So each
  // tab knows all the others, and looks at what one has left as soon as it is gone.
  async live() {
    this.roll = new BroadcastChannel(ROLL);
    this.roll.onmessage = ({ data }) => {
      if (data.asks) this.roll.postMessage({ lives: this.tab });
      if (data.lives) this.whenGone(data.lives);
    };
    if (navigator.locks) {
      await new Promise((held) => {
        navigator.locks.request(lockOf(this.tab), () => {
          held();
          return new Promise(() => {});
        });
      });
    }
    this.roll.postMessage({ lives: this.tab });
    this.roll.postMessage({ asks: true });
  }

  // Written and committed in this very task: what happens to the tab afterwards cannot take it back.
  // `replaced` is the key of a record that this one takes the place of.
  put(record, { replaced = null, isUrgent = false } = {}) {
    this.write(isUrgent ? "strict" : "relaxed", (store) => {
      store.put({ ...record, keptAt: Date.now() }, this.keyOf(record.documentId));
      if (replaced) store.delete(replaced);
    });
  }

  drop(key) {
    this.write("relaxed", (store) => store.delete(key));
  }

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

  failed(error) {
    if (!this.isBroken) console.warn("The browser cannot keep strokes that are not saved yet.", error);
    this.isBroken = true;
  }

  // Take over what tabs that are gone have left of a person's documents, each record by one tab alone. `inherit` gets
  // the key under which it lies now, and the record.
  async sweep(personId, inherit) {
    await this.isOpen;
    this.sweepAgain = () => this.sweep(personId, inherit).catch((error) => this.failed(error));
    if (!this.database) return;
    const left = (await this.keysLeft()).filter((key) => key.split(" ")[0].includes(`-p${personId}-`));
    if (!left.length) return;
    const living = await this.livingTabs();
    for (const key of left) {
      const tab = key.split(" ")[1];
      if (living.has(tab)) this.whenGone(tab);
      else await this.take(key, inherit);
    }
  }

  async keysLeft() {
    const keys = await answerOf(this.database.transaction(STORE).objectStore(STORE).getAllKeys());
    return keys.filter((key) => key.split(" ")[1] !== this.tab);
  }

  async take(key, inherit) {
    const taking = this.database.transaction(STORE, "readwrite");
    const store = taking.objectStore(STORE);
    const record = await answerOf(store.get(key));
    if (!record) return;
    const newKey = `${this.keyOf(record.documentId)} ${++this.nTaken}`;
    store.put(record, newKey);
    store.delete(key);
    await new Promise((done, fail) => {
      taking.oncomplete = done;
      taking.onabort = () => fail(taking.error);
    });
    inherit(newKey, record);
  }

  async livingTabs() {
    if (navigator.locks) {
      const { held } = await navigator.locks.query();
      return new Set(held.filter((lock) => lock.name.startsWith(ROLL)).map((lock) => lock.name.slice(ROLL.length + 1)));
    }
    const living = new Set();
    const calling = new BroadcastChannel(ROLL);
    calling.onmessage = ({ data }) => data.lives && living.add(data.lives);
    calling.postMessage({ asks: true });
    await new Promise((done) => setTimeout(done, ANSWER_ROLL_WITHIN_MS));
    calling.close();
    return living;
  }

  // A lock is given away the moment that its tab is gone. Without locks, the next sweep finds out.
  async whenGone(tab) {
    if (!navigator.locks || tab === this.tab || this.awaited.has(tab)) return;
    this.awaited.add(tab);
    await navigator.locks.request(lockOf(tab), () => {});
    this.awaited.delete(tab);
    this.sweepAgain();
  }
}

function lockOf(tab) {
  return `${ROLL} ${tab}`;
}

function answerOf(request) {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

const KEPT = new Kept();
