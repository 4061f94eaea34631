import type { Location } from "@lynceus/protocol/names";
import { explain } from "./explain.ts";
import { createStore, type Store } from "./store.ts";
import type { AttributionIndex, Subject } from "./types.ts";

/**
 * An index of counts per location, key and value, kept up machine by machine.
 * @param subjects the machines to begin with.
 */
export function createAttributionIndex(subjects: Iterable<Subject> = []): AttributionIndex {
  const stores = new Map<Location, Store>();
  const locationOf = new Map<string, Location>();

  const storeOf = (location: Location): Store => {
    const known = stores.get(location);
    if (known) return known;
    const store = createStore();
    stores.set(location, store);
    return store;
  };
  const index: AttributionIndex = {
    set(subject) {
      const before = locationOf.get(subject.id);
      // It moved: at its old place it says nothing any more (rule 3).
      if (before !== undefined && before !== subject.location) stores.get(before)?.delete(subject.id);
      if (before !== subject.location) locationOf.set(subject.id, subject.location);
      storeOf(subject.location).set(subject);
    },
    delete(id) {
      const location = locationOf.get(id);
      if (location !== undefined) stores.get(location)?.delete(id);
      locationOf.delete(id);
    },
    get size() {
      return locationOf.size;
    },
    locations: () => [...stores].filter(([, store]) => store.size > 0).map(([location]) => location),
    attribute: (location, options) => explain(storeOf(location), location, options),
  };
  for (const subject of subjects) index.set(subject);
  return index;
}
