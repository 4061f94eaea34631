import { execFileSync } from "node:child_process";
import { basename, dirname } from "node:path";

/** Packs a directory so that the same content gives the same bytes: sorted, owned by root, of one date. */
export function makeTarball(directory: string, file: string, date: number): void {
  execFileSync(
    "tar",
    [
      "--create",
      "--sort=name",
      `--mtime=@${date}`,
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "--format=gnu",
      "--use-compress-program=gzip -n -6",
      "--file",
      file,
      "-C",
      dirname(directory),
      basename(directory),
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
}
