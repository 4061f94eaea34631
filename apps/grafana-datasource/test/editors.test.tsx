import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import React from "react";
import { FilterField, termAt } from "../src/components/FilterField";

describe("the term at the caret", () => {
  it("is found between spaces, those in quotes not counted", () => {
    expect(termAt("status:failing si", 17)).toEqual({ before: "status:failing ", term: "si", after: "" });
    expect(termAt('site:"New Y tag:x', 11)).toEqual({ before: "", term: 'site:"New Y', after: " tag:x" });
    expect(termAt("", 0)).toEqual({ before: "", term: "", after: "" });
    expect(termAt("a b c", 3)).toEqual({ before: "a ", term: "b", after: " c" });
  });
});

describe("the filter field", () => {
  function Field({ onChange, value = "" }: { onChange: (q: string) => void; value?: string }) {
    const valuesOf = async (field: string, _q: string, contains: string) =>
      [
        { value: "Bern", machines: 12 },
        { value: "New York", machines: 3 },
        { value: "none", machines: 1 },
      ].filter((one) => field === "site" && one.value.toLowerCase().includes(contains.toLowerCase()));
    return <FilterField value={value} onChange={onChange} valuesOf={valuesOf} />;
  }
  const type = (text: string) => {
    const input = screen.getByRole("combobox") as HTMLInputElement;
    fireEvent.change(input, { target: { value: text, selectionStart: text.length } });
    return input;
  };

  it("completes a field, then its values with how many machines have each", async () => {
    const asked: string[] = [];
    render(<Field onChange={(q) => asked.push(q)} />);
    const input = type("sit");
    await waitFor(() => screen.getByRole("option"));
    fireEvent.keyDown(input, { key: "Tab" });
    expect(input.value).toBe("site:");
    expect(asked).toEqual([]);
    await waitFor(() => screen.getByText("12 machines"));
    fireEvent.keyDown(input, { key: "ArrowDown" });
    fireEvent.keyDown(input, { key: "Tab" });
    expect(input.value).toBe('site:"New York"');
    expect(asked).toEqual(['site:"New York"']);
  });

  it("asks on Enter and when it is left, and leaves Tab alone where nothing is offered", async () => {
    const asked: string[] = [];
    render(<Field onChange={(q) => asked.push(q)} />);
    const input = type("status:failing");
    fireEvent.keyDown(input, { key: "Enter" });
    type("status:stale");
    fireEvent.blur(input);
    expect(asked).toEqual(["status:failing", "status:stale"]);
    expect(fireEvent.keyDown(input, { key: "Tab" })).toBe(true);
  });

  it("says what is wrong, where, and how it would be right", () => {
    render(<Field onChange={() => {}} value="status:broken" />);
    expect(screen.getByText(/At 8, "broken": one of healthy, failing/)).toBeTruthy();
  });
});
