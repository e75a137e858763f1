# syntax=docker/dockerfile:1
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Scripts would run the build before there is anything to build.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production \
    MAYFLY_CONFIG=/etc/mayfly/mayfly.yaml
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
COPY package.json LICENSE ./
COPY config ./config
# Served at /errors: every refusal points there.
COPY docs/errors.md ./docs/errors.md
RUN chmod 755 dist/src/cli/main.js && ln -s /app/dist/src/cli/main.js /usr/local/bin/mayfly
# The only directory that is written to, by the embedded store or as `redis.seenDirectory`: the root can be read-only.
RUN mkdir -p /var/lib/mayfly && chown node:node /var/lib/mayfly && chmod 700 /var/lib/mayfly
VOLUME /var/lib/mayfly
# `node`, as a number: Kubernetes cannot tell that a name is not root (`runAsNonRoot`).
USER 1000:1000
EXPOSE 8080
# Answers of the operations listener, inside the container: set `operations` to a port on 127.0.0.1 or 0.0.0.0.
ENV MAYFLY_HEALTH_URL=http://127.0.0.1:9090/health/live
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.MAYFLY_HEALTH_URL).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node as the first process: SIGTERM reaches the broker, which drains.
CMD ["node", "dist/src/main.js"]
