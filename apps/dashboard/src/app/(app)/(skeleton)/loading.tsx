import { PageSkeleton } from "../../../components/layout/page-skeleton.tsx";

/*
 * For the pages of this group. A page of one machine stands outside: its answer may not begin before it is known
 * whether there is such a machine, else an unknown one could not be answered with 404.
 */
export default PageSkeleton;
