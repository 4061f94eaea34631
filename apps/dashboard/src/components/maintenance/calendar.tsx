import { clockText } from "@lynceus/incidents/wall-clock";
import { safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import { momentText } from "../moment.ts";
import styles from "./maintenance.module.css";
import type { Day, DayWindow } from "./month.ts";

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** A month of windows as a table; on a phone, where seven columns are too many, as the list of its days that have one. */
export function Calendar(props: {
  weeks: readonly (readonly Day[])[];
  today: string;
  clock: { now: number; zone: string };
  href: (id: string) => string;
}) {
  const { weeks, today, clock, href } = props;
  const days = weeks.flat().filter(({ inMonth, windows }) => inMonth && windows.length > 0);
  return (
    <>
      <div className={styles.calendar}>
        <table className={styles.month}>
          <thead>
            <tr>
              {weekdays.map((day) => (
                <th key={day} scope="col">
                  {day}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {weeks.map((week) => (
              <tr key={week[0]?.date}>
                {week.map((day) => (
                  <td key={day.date} data-other={!day.inMonth} data-today={day.date === today}>
                    <time className={styles.date} dateTime={day.date}>
                      {day.dayOfMonth}
                    </time>
                    {day.windows.length === 0 ? null : (
                      <div className={styles.slots}>
                        {day.windows.slice(0, 4).map((one) => (
                          <Slot key={`${one.window.id} ${one.from}`} slot={one} clock={clock} href={href} />
                        ))}
                        {day.windows.length > 4 ? (
                          <span className="dim">{day.windows.length - 4} more, in the list</span>
                        ) : null}
                      </div>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ul className={styles.agenda}>
        {days.map((day) => (
          <li key={day.date}>
            <time dateTime={day.date}>{day.date === today ? "Today" : dayText(day, clock)}</time>
            <div className={styles.slots}>
              {day.windows.map((one) => (
                <Slot key={`${one.window.id} ${one.from}`} slot={one} clock={clock} href={href} />
              ))}
            </div>
          </li>
        ))}
        {days.length === 0 ? <li className="dim">None in this month.</li> : null}
      </ul>
    </>
  );
}

const dayText = (day: Day, { zone }: { zone: string }) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short" }).format(
    day.windows[0]?.from ?? 0,
  );

function Slot(props: { slot: DayWindow; clock: { now: number; zone: string }; href: (id: string) => string }) {
  const { slot, clock, href } = props;
  const { window, from, to, fromBefore, goesOn } = slot;
  const now = from <= clock.now && to > clock.now;
  const text = `${fromBefore ? "…" : clockText(from, clock.zone)}–${goesOn ? "…" : clockText(to, clock.zone)}`;
  return (
    <Link
      className={styles.slot}
      href={href(window.id)}
      scroll={false}
      data-now={now}
      title={`${momentText(from, clock)} to ${momentText(to, clock)}`}
    >
      <time>{text}</time> <bdi>{safeText(window.name, 60)}</bdi>
      {now ? " · now" : ""}
    </Link>
  );
}
