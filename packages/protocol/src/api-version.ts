/** Version of `/api/v1` as clients rely on it: raised when something that they rely on is no longer there. */
export const apiVersion = 1;
