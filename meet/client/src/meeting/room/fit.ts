/* How many columns make the pictures largest in the room that there is. */

import { useEffect, useState } from "react";

const ASPECT = 16 / 9;
const GAP_PX = 8;

export interface Size {
  width: number;
  height: number;
}

export function fit(number: number, { width, height }: Size): { columns: number; width: number } {
  let best = { columns: 1, width: 0 };
  for (let columns = 1; columns <= Math.max(1, number); columns++) {
    const rows = Math.ceil(number / columns);
    const across = (width - GAP_PX * (columns - 1)) / columns;
    const down = ((height - GAP_PX * (rows - 1)) / rows) * ASPECT;
    const tile = Math.min(across, down);
    if (tile > best.width) best = { columns, width: tile };
  }
  return best;
}

/** The size of an element, followed as it changes; give the first to its `ref`. */
export function useSize(): [(element: HTMLElement | null) => void, Size] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    if (!element) return;
    const watch = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
    };
  }, [element]);
  return [setElement, size];
}
