declare module "postject" {
  /** Puts data into an executable as a section of this name; the fuse is flipped so that the program looks for it. */
  export function inject(
    executable: string,
    name: string,
    data: Buffer,
    options: { readonly sentinelFuse: string; readonly machoSegmentName?: string },
  ): Promise<void>;
}
