const formPath = /\/owa\/auth|\/cookieauth\.dll|\/my\.policy|\/adfs\/ls/i;

/** Whether a path is that of a log-in form in front of Exchange: OWA, ISA and TMG, BIG-IP, AD FS (domain 3.4, rule 19). */
export const isLoginFormPath = (path: string): boolean => formPath.test(path);
