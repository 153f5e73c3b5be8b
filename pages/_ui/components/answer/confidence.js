// The confidence that a digit key stands for, once there is a call.

/**
 * @param {string} key
 * @param {boolean} isInSteps Whether the keys 1 to 5 stand for five steps, in place of 1 to 9 for 10 to 90 and 0 for 100.
 * @returns {number | null} 0 to 100; null where the key stands for none.
 */
export function confidenceOfKey(key, isInSteps) {
  if (isInSteps) return /^[1-5]$/.test(key) ? 25 * (Number(key) - 1) : null;
  if (!/^[0-9]$/.test(key)) return null;
  return key === "0" ? 100 : 10 * Number(key);
}
