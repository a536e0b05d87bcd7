/** @type {import('next').NextConfig} */
export default {
  poweredByHeader: false,
  // Without these the page never hydrates in development.
  allowedDevOrigins: ['127.0.0.1', 'localhost'],
  // `npm test` checks the types of the whole project; a start need not.
  typescript: { ignoreBuildErrors: true },
}
