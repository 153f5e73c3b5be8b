// What Streamlit runs for a component, below lines that say VERSION, MODULE and TEMPLATE: it imports the component's
// module from the program's server, and hands on what Streamlit gives.
//
// Streamlit runs this from a `blob:` address, from which no relative address leads anywhere. A module that did not
// arrive is asked for again, since the editor may have strokes to send that an earlier page has left; each time under
// another address, because a browser remembers which ones have failed.

const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

let attempt = 0;
/** @type {Promise<{ default: (component: object, template: string) => () => void }> | null} */
let loading = null;

async function load() {
  for (const pause of PAUSES_MS) {
    try {
      return await import(`${location.origin}/scripts/${VERSION}/${attempt}/${MODULE}`);
    } catch (error) {
      console.warn(`${MODULE} could not be loaded.`, error);
      attempt += 1;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return import(`${location.origin}/scripts/${VERSION}/${attempt}/${MODULE}`);
}

/** @param {object} component What Streamlit gives to a component. */
export default async function show(component) {
  loading ??= load();
  try {
    const module = await loading;
    return module.default(component, TEMPLATE);
  } catch (error) {
    attempt += 1;
    loading = null;
    throw error;
  }
}
