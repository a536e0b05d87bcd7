/** @type {import('next').NextConfig} */
export default {
  poweredByHeader: false,
  // Without these the page never hydrates in development.
  allowedDevOrigins: ['127.0.0.1', 'localhost'],
}
