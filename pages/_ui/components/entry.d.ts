// The lines that `component_script` in scripts.py puts above entry.js.

declare const VERSION: string;
declare const MODULE: string;
declare const TEMPLATE: string;
