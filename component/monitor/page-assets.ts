/** The files of the page, as they are sent. */
export interface PageAssets {
  readonly html: string
  readonly css: string
  readonly script: string
  readonly icon: string
}

/** The build puts the files in the place of this. Where the sources run unbundled there is no page. */
export const PAGE_ASSETS: PageAssets | undefined = undefined
