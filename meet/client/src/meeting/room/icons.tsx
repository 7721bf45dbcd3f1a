/* Signs of a meeting that KERN's set lacks; drawn for this house, 24 units square. */

const PATHS = {
  microphone: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6",
  camera: "M3 7h11v10H3zM14 11l7-4v10l-7-4",
  screen: "M3 4h18v12H3zM9 20h6M12 16v4M12 13V8M9.5 10 12 7.5 14.5 10",
  hand: "M8 12V6a1.4 1.4 0 0 1 2.8 0v5-6.600a1.400 1.400 0 0 1 2.800 0V11V6a1.400 1.400 0 0 1 2.800 0v8c0 4-2 7-5.400 7-3 0-4.300-1.600-6-4.600L3.600 13.500c.6-1.200 2-1.300 2.800-.3L8 15",
  people: "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c0-4 3-6 6.500-6s6.500 2 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2 .8 3.500 2.600 3.500 5.500",
  chat: "M4 4h16v12H10l-5 4v-4H4z",
  text: "M3 6h18v12H3zM6 10h2M10 10h2M14 10h4M6 14h8M17 13v3",
  view: "M3 4h8v7H3zM13 4h8v7h-8zM3 13h8v7H3zM13 13h8v7h-8z",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  leave: "M4 14c4-5 12-5 16 0l-2 3-3.500-1.500V13c-2-.6-3-.6-5 0v2.500L6 17z",
  pin: "M9 3h6l-1 6 4 4H6l4-4zM12 13v8",
  lock: "M6 11h12v10H6zM8.500 11V7.500a3.500 3.500 0 0 1 7 0V11",
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  name: IconName;
  off?: boolean;
}

export function Icon({ name, off = false }: Props) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
      {off && <path className="icon__off" d="M3 3l18 18" />}
    </svg>
  );
}
