/**
 * What part of the map is looked at.
 *
 * @module web/pages/knowledge/graph/camera
 */

/** The place of the map in the middle of the view, and px for one unit of it. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Extent {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const toMapX = (camera: Camera, view: Size, x: number): number =>
  camera.x + (x - view.width / 2) / camera.scale;
export const toMapY = (camera: Camera, view: Size, y: number): number =>
  camera.y + (y - view.height / 2) / camera.scale;
export const toViewX = (camera: Camera, view: Size, x: number): number =>
  (x - camera.x) * camera.scale + view.width / 2;
export const toViewY = (camera: Camera, view: Size, y: number): number =>
  (y - camera.y) * camera.scale + view.height / 2;

/** All of the extent, as large as the view allows. */
export function fit(extent: Extent, view: Size, marginX: number, marginY: number, closest: number): Camera {
  const width = Math.max(1, extent.right - extent.left);
  const height = Math.max(1, extent.bottom - extent.top);
  const scale = Math.min(
    Math.max(1, view.width - 2 * marginX) / width,
    Math.max(1, view.height - 2 * marginY) / height,
    closest,
  );
  return { x: (extent.left + extent.right) / 2, y: (extent.top + extent.bottom) / 2, scale };
}

/** Nearer by a factor; what is at (x, y) of the view stays there. */
export function zoom(
  camera: Camera,
  view: Size,
  factor: number,
  x: number,
  y: number,
  least: number,
  most: number,
): Camera {
  const scale = Math.max(least, Math.min(most, camera.scale * factor));
  const mapX = toMapX(camera, view, x);
  const mapY = toMapY(camera, view, y);
  return {
    x: mapX - (x - view.width / 2) / scale,
    y: mapY - (y - view.height / 2) / scale,
    scale,
  };
}

/** The map may not be lost: its middle stays within the extent. */
export function hold(camera: Camera, extent: Extent): Camera {
  return {
    x: Math.max(extent.left, Math.min(extent.right, camera.x)),
    y: Math.max(extent.top, Math.min(extent.bottom, camera.y)),
    scale: camera.scale,
  };
}

/**
 * Between two looks at the map, along the way that seems shortest to the eye: out, over, and in again.
 *
 * Van Wijk and Nuij, Smooth and efficient zooming and panning (2003), with rho = √2.
 *
 * @returns the look at a share of the way, and how long the way is (1 is a screen's width or a zoom by about four)
 */
export function flight(
  from: Camera,
  to: Camera,
  view: Size,
): { at(share: number): Camera; readonly length: number } {
  const rho = Math.SQRT2;
  const w0 = view.width / from.scale;
  const w1 = view.width / to.scale;
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const u1 = Math.hypot(dx, dy);
  if (u1 < 1e-6 * w0) {
    const length = Math.abs(Math.log(w1 / w0)) / rho;
    return {
      length,
      at: (share) => ({
        x: from.x + dx * share,
        y: from.y + dy * share,
        scale: view.width / (w0 * (w1 / w0) ** share),
      }),
    };
  }
  const b0 = (w1 * w1 - w0 * w0 + rho ** 4 * u1 * u1) / (2 * w0 * rho * rho * u1);
  const b1 = (w1 * w1 - w0 * w0 - rho ** 4 * u1 * u1) / (2 * w1 * rho * rho * u1);
  const r0 = Math.asinh(-b0);
  const r1 = Math.asinh(-b1);
  const length = (r1 - r0) / rho;
  return {
    length,
    at(share) {
      if (share >= 1) return to;
      const s = share * length;
      const u = (w0 / rho ** 2) * (Math.cosh(r0) * Math.tanh(rho * s + r0) - Math.sinh(r0));
      const w = (w0 * Math.cosh(r0)) / Math.cosh(rho * s + r0);
      return { x: from.x + (dx * u) / u1, y: from.y + (dy * u) / u1, scale: view.width / w };
    },
  };
}
