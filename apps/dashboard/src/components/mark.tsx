/** The mark: an eye whose wall is open in the middle. `currentColor`, from 16 px, never in a status colour. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" aria-hidden="true">
      <path
        d="M1 10C3.6 5.6 6.6 3.4 10 3.4S16.4 5.6 19 10c-2.6 4.4-5.6 6.6-9 6.6S3.6 14.4 1 10Z"
        stroke="currentColor"
        strokeWidth="1.7"
        strokeLinejoin="round"
      />
      <path d="M10 3.4v3.3M10 13.3v3.3" stroke="currentColor" strokeWidth="3" />
      <circle cx="10" cy="10" r="1.9" fill="currentColor" />
    </svg>
  );
}
