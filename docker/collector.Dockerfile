# Collector: built with everything, run with one bundled file on a small image as an ordinary user.
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund && npx turbo run build --filter=@lynceus/collector

FROM node:22-bookworm-slim
ENV NODE_ENV=production LYNCEUS_MIGRATIONS=/app/prisma/migrations
WORKDIR /app
COPY --from=build /src/apps/collector/dist ./dist
COPY --from=build /src/prisma/migrations ./prisma/migrations
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 7443
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "require('https').get({host:'127.0.0.1',port:7443,path:'/readyz',rejectUnauthorized:false},r=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))"]
CMD ["node", "dist/main.js", "--host", "0.0.0.0", "--port", "7443", "--data-dir", "/data", "--migrate"]
