# One image for both processes: the gateway by default, the worker with `node dist/worker.js`.
# Redis is not in it; REDIS_URL says where it is.
#
# Debian trixie, because uWebSockets.js has binaries for Node 22 and later that need glibc 2.38, and
# none for Alpine's musl.
FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build

# The worker's packages stay outside of its bundle (BullMQ forks a file of its own), so the image
# needs them, without the tools.
FROM node:24-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# uWebSockets.js brings 250 MB of binaries for every system and Node there is; one of them is ours.
RUN find node_modules/uWebSockets.js -name 'uws_*.node' \
    ! -name "$(node -p '`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`')" \
    -delete \
  && node -e 'require("uWebSockets.js")'

FROM node:24-trixie-slim
# taskset and chrt pin the worker's children; the build fails here should the base image drop them.
RUN taskset --version && chrt --version
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
USER node
EXPOSE 3000 3001
# Not through npm: the process itself must be the one that gets the signal to leave.
CMD ["node", "dist/gateway.js"]
